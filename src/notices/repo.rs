//! SQL of notices.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use uuid::Uuid;

use super::Notice;
use crate::clock::new_id;
use crate::db::DbError;

#[derive(QueryableByName)]
struct Times {
    #[diesel(sql_type = Integer)]
    times: i32,
}

pub fn raise(conn: &mut PgConnection, notice: &Notice<'_>, now: DateTime<Utc>) -> Result<bool, DbError> {
    // What became an alarm since it was told is told again.
    sql_query(
        "delete from notice_sends s using notices n
         where s.notice_id = n.notice_id and s.event = 'raised' and n.key = $1 and n.resolved_at is null
           and n.severity <> 'alarm' and $2 = 'alarm'",
    )
    .bind::<Text, _>(notice.key)
    .bind::<Text, _>(notice.severity.name())
    .execute(conn)?;
    let raised: Times = sql_query(
        "insert into notices (notice_id, key, severity, subject, body, store_id, raised_at, last_raised_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (key) where resolved_at is null do update set
           severity = excluded.severity, subject = excluded.subject, body = excluded.body,
           last_raised_at = excluded.last_raised_at, times = notices.times + 1
         returning times",
    )
    .bind::<SqlUuid, _>(new_id())
    .bind::<Text, _>(notice.key)
    .bind::<Text, _>(notice.severity.name())
    .bind::<Text, _>(notice.subject)
    .bind::<Text, _>(notice.body)
    .bind::<Nullable<Integer>, _>(notice.store.map(|store| store.0))
    .bind::<Timestamptz, _>(now)
    .get_result(conn)?;
    Ok(raised.times == 1)
}

pub fn resolve(conn: &mut PgConnection, key: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let resolved = sql_query("update notices set resolved_at = $2 where key = $1 and resolved_at is null")
        .bind::<Text, _>(key)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    Ok(resolved > 0)
}

/// A notice as it is shown.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Known {
    #[diesel(sql_type = SqlUuid)]
    pub notice_id: Uuid,
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub severity: String,
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = Text)]
    pub body: String,
    /// Slug.
    #[diesel(sql_type = Nullable<Text>)]
    pub store: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub raised_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub last_raised_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    pub times: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Newest first; only the open ones, or all of the last 500.
pub fn list(conn: &mut PgConnection, only_open: bool) -> Result<Vec<Known>, DbError> {
    Ok(sql_query(
        "select n.notice_id, n.key, n.severity, n.subject, n.body, s.slug as store, n.raised_at, n.last_raised_at,
                n.times, n.resolved_at
         from notices n left join stores s using (store_id)
         where not $1 or n.resolved_at is null
         order by n.resolved_at is not null, n.raised_at desc limit 500",
    )
    .bind::<Bool, _>(only_open)
    .load(conn)?)
}

/// What is to be sent to a channel.
#[derive(Clone, Debug, QueryableByName)]
pub struct Due {
    #[diesel(sql_type = SqlUuid)]
    pub notice_id: Uuid,
    /// `raised` or `resolved`.
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = Text)]
    pub severity: String,
    #[diesel(sql_type = Text)]
    pub subject: String,
    #[diesel(sql_type = Text)]
    pub body: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub store: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub raised_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resolved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    pub times: i32,
}

/// Takes what a channel has not been told yet, for a minute; what failed waits twice as long each time, ten times.
/// What is over before anybody was told is not told any more.
pub fn claim(conn: &mut PgConnection, channel: &str, now: DateTime<Utc>) -> Result<Vec<Due>, DbError> {
    Ok(sql_query(
        "with due as (
           select n.notice_id, e.event
           from notices n cross join (values ('raised'), ('resolved')) e(event)
             left join notice_sends s on s.notice_id = n.notice_id and s.channel = $1 and s.event = e.event
           where n.severity <> 'info' and n.raised_at > $2 - interval '7 days'
             and case e.event
                   when 'raised' then n.resolved_at is null
                   else n.resolved_at is not null and exists (
                     select 1 from notice_sends r where r.notice_id = n.notice_id and r.channel = $1
                       and r.event = 'raised' and r.sent_at is not null)
                 end
             and (s.notice_id is null or s.sent_at is null and s.next_try_at <= $2 and s.attempts < 10)
           order by n.raised_at limit 20
         ), claimed as (
           insert into notice_sends as s (notice_id, channel, event, attempts, next_try_at)
           select notice_id, $1, event, 1, $2 + interval '1 minute' from due
           on conflict (notice_id, channel, event) do update
             set attempts = s.attempts + 1, next_try_at = $2 + interval '1 minute' * (2 ^ s.attempts)
             where s.sent_at is null and s.next_try_at <= $2
           returning s.notice_id, s.event
         )
         select c.notice_id, c.event, n.key, n.severity, n.subject, n.body, st.slug as store, n.raised_at,
                n.resolved_at, n.times
         from claimed c join notices n using (notice_id) left join stores st using (store_id)
         order by n.raised_at",
    )
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(now)
    .load(conn)?)
}

pub fn mark(
    conn: &mut PgConnection,
    due: &Due,
    channel: &str,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql_query(
        "update notice_sends set last_error = $4, sent_at = case when $4 is null then $5 end
         where notice_id = $1 and channel = $2 and event = $3",
    )
    .bind::<SqlUuid, _>(due.notice_id)
    .bind::<Text, _>(channel)
    .bind::<Text, _>(&due.event)
    .bind::<Nullable<Text>, _>(problem)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}
