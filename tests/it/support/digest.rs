//! What a run left behind, as text that can be compared: computed here from the tables, not by the product.
//!
//! Per order its newest snapshot, status and net; per order, earner and bonus what is posted in sum; per account
//! the balance. Ids and times that differ between two runs are left out; so is the path that led here.

use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

const PARTS: [&str; 4] = [
    "select concat_ws('|', 'order', s.slug, o.external_id, o.status, o.exemptions::text, o.distributor_id, o.place,
              o.place_value, o.total::text, o.sold::text, o.refunded::text, o.net::text, o.lines::text,
              encode(sha256(convert_to((select r.report::text from order_revisions r
                where r.order_id = o.order_id and r.revision_no = o.newest_revision), 'UTF8')), 'hex')) as line
     from orders o join stores s using (store_id) order by 1",
    "select concat_ws('|', 'held', s.slug, o.external_id, h.reason, h.cause, h.line) as line
     from holds h join orders o using (order_id) join stores s using (store_id) order by 1",
    "select concat_ws('|', 'earned', s.slug, o.external_id, e.distributor_id, e.bonus, e.level, e.line, e.currency,
              trim_scale(sum(e.amount))::text) as line
     from commission_events e join orders o using (order_id) join stores s using (store_id)
     group by s.slug, o.external_id, e.distributor_id, e.bonus, e.level, e.line, e.currency
     having sum(e.amount) <> 0 order by 1",
    "select concat_ws('|', 'account', a.name, p.distributor_id, j.currency, trim_scale(sum(p.amount))::text) as line
     from postings p join journal_entries j using (source_id, entry_no) join accounts a using (account)
     group by a.name, p.distributor_id, j.currency having sum(p.amount) <> 0 order by 1",
];

pub fn digest(conn: &mut PgConnection) -> Vec<String> {
    let part =
        |sql: &&str| sql_query(*sql).load::<Line>(conn).expect("a digest").into_iter().map(|row| row.line);
    PARTS.iter().flat_map(part).collect()
}

/// Says where two runs differ, not only that they do.
#[track_caller]
pub fn assert_same(ordered: &[String], other: &[String]) {
    let missing: Vec<_> = ordered.iter().filter(|line| !other.contains(line)).take(5).collect();
    let added: Vec<_> = other.iter().filter(|line| !ordered.contains(line)).take(5).collect();
    assert!(missing.is_empty() && added.is_empty(), "lost: {missing:#?}\ngained: {added:#?}");
    assert_eq!(ordered.len(), other.len());
}
