-- The period in which each entry counts: the first one that had not gone by when it came. Once a period is closed,
-- what is booked in it stays, and nothing comes to it.
create view bookings as
with bounds as (
  -- What each period reaches, and what the one before it reached: all of them grow from period to period.
  select period_id, name, ends_at, late, cutoff,
         lag(ends_at, 1, '-infinity') over w as ends_before, lag(late, 1, 0) over w as late_before,
         lag(cutoff, 1, 0) over w as cutoff_before
  from (select period_id, name, starts_at, ends_at, coalesce(late_after_seq, 9223372036854775807) as late,
               coalesce(cutoff_seq, 9223372036854775807) as cutoff
        from periods) p
  window w as (order by starts_at))
select f.order_id as source_id, f.calculation_no as entry_no, b.name as period
from bounds b
join volume_facts f on f.ordered_at < b.ends_at and f.first_seq <= b.late and f.seq <= b.cutoff
  and (f.ordered_at >= b.ends_before or f.first_seq > b.late_before or f.seq > b.cutoff_before)
union all
select e.source_id, e.entry_no, p.name
from runs r join periods p using (period_id) join journal_entries e on e.source_id = r.run_id
where r.status = 'posted'
union all
select e.source_id, e.entry_no, b.name
from bounds b join journal_entries e on e.posted_at < b.ends_at and e.posted_at >= b.ends_before
where e.kind not in ('commission', 'period', 'adjustment');
comment on view bookings is 'an entry of an order counts where its volume fact does, one of a run in the run''s period, any other by its time';

create schema report;
comment on schema report is 'Read only, for analysts: facts in the plural, dimensions in the singular. No personal data.';

create table report.schema_version (
  version int primary key,
  says text not null
);
comment on table report.schema_version is 'One row for each version of this schema; the largest holds. It grows when a column goes, is renamed or means something else; a column more is no other version.';
comment on column report.schema_version.version is 'Number of the version';
comment on column report.schema_version.says is 'What came with it';
insert into report.schema_version values (1, 'Facts and dimensions of commissions, and the ledger and sku_mapping of the first data model');

create view report.postings as
select b.period, e.source_id, e.entry_no, p.posting_no, e.kind as entry_kind, p.account, a.name as account_name,
       p.distributor_id, e.currency::text as currency, p.amount, p.event_id, e.posted_at
from postings p
join journal_entries e using (source_id, entry_no)
join accounts a on a.account = p.account
left join bookings b using (source_id, entry_no);
comment on view report.postings is 'One row for each posting of a journal entry. The sum over an entry is zero; the sum over an account is its balance.';
comment on column report.postings.period is 'Name of the period in which the entry counts; empty while that is not decided';
comment on column report.postings.source_id is 'The order, run, batch or settlement that the entry belongs to';
comment on column report.postings.entry_no is 'Number of the entry within its source; source_id/entry_no is the reference of the entry';
comment on column report.postings.posting_no is 'Number of the posting within its entry';
comment on column report.postings.entry_kind is 'commission, period, adjustment, manual, holdback, release, conversion, carry, recovery, write_off, payout, payout_cancelled, payout_confirmed or payout_returned';
comment on column report.postings.account is 'Number of the account';
comment on column report.postings.account_name is 'Name of the account';
comment on column report.postings.distributor_id is 'Whose account it is; empty on accounts of the house';
comment on column report.postings.currency is 'ISO 4217';
comment on column report.postings.amount is 'Debit positive, credit negative';
comment on column report.postings.event_id is 'The commission event that the posting carries out; empty where there is none';
comment on column report.postings.posted_at is 'When it was posted';

create view report.commission_events as
select b.period, e.event_id, e.order_id as source_id, r.run_id is null as is_of_order, e.calculation_no, e.line,
       e.bonus, e.level, e.distributor_id, e.kind, e.currency::text as currency, e.amount, e.created_at,
       encode(c.plan_hash, 'hex') as plan_hash
from commission_events e
join calculations c on c.order_id = e.order_id and c.calculation_no = e.calculation_no
left join runs r on r.run_id = e.order_id
left join bookings b on b.source_id = e.order_id and b.entry_no = e.calculation_no;
comment on view report.commission_events is 'One row for each commission event. Their sum is what was earned: on 2100 the postings that carry them out are the same with the other sign.';
comment on column report.commission_events.period is 'Name of the period in which the event counts; empty while that is not decided';
comment on column report.commission_events.event_id is 'The event';
comment on column report.commission_events.source_id is 'The order or the run that was calculated';
comment on column report.commission_events.is_of_order is 'true: source_id is an order; false: a run';
comment on column report.commission_events.calculation_no is 'Number of the calculation of the source; also the number of its journal entry';
comment on column report.commission_events.line is 'The store''s id of the order line; empty for a run';
comment on column report.commission_events.bonus is 'Id of the bonus in the plan';
comment on column report.commission_events.level is 'Level of the upline, 0 for the seller';
comment on column report.commission_events.distributor_id is 'Who earns';
comment on column report.commission_events.kind is 'earn, adjust, clawback or forfeit';
comment on column report.commission_events.currency is 'ISO 4217';
comment on column report.commission_events.amount is 'Positive: earned; negative: taken back';
comment on column report.commission_events.created_at is 'When it was calculated';
comment on column report.commission_events.plan_hash is 'SHA-256 of the plan it was calculated with, in hexadecimal digits';

-- Each line of a calculation as it counts, once with its sign and once against it in the calculation after.
create view report.order_lines as
select b.period, f.order_id, f.calculation_no, l.line, f.store_id, f.distributor_id, f.own as is_own, f.currency::text as currency,
       f.ordered_at, c.calculated_at, l.mapping_id, l.sku_id, l.commission_class, l.quantity, l.sold, l.refunded, l.net
from volume_facts f
join calculations c on c.order_id = f.order_id and c.calculation_no = f.calculation_no
left join calculations z on z.order_id = f.order_id and z.calculation_no = f.calculation_no - 1
left join bookings b on b.source_id = f.order_id and b.entry_no = f.calculation_no
cross join lateral (
  select line, (array_agg(mapping_id order by sign desc))[1] as mapping_id,
         (array_agg(sku_id order by sign desc))[1] as sku_id,
         (array_agg(commission_class order by sign desc))[1] as commission_class,
         sum(sign * quantity)::numeric(24, 6) as quantity, sum(sign * sold)::numeric(24, 6) as sold,
         sum(sign * refunded)::numeric(24, 6) as refunded, sum(sign * net)::numeric(24, 6) as net
  from (
    select 1 as sign, t.* from jsonb_to_recordset(
      case when coalesce(c.calc_snapshot_json -> 'calculation', 'null') = 'null' then '[]'
           else c.calc_snapshot_json -> 'lines' end)
      as t(line text, mapping_id bigint, sku_id text, commission_class text, quantity numeric, sold numeric,
           refunded numeric, net numeric)
    union all
    select -1, t.* from jsonb_to_recordset(
      case when coalesce(z.calc_snapshot_json -> 'calculation', 'null') = 'null' then '[]'
           else z.calc_snapshot_json -> 'lines' end)
      as t(line text, mapping_id bigint, sku_id text, commission_class text, quantity numeric, sold numeric,
           refunded numeric, net numeric)) counted
  group by line) l;
comment on view report.order_lines is 'One row for each line of each calculation of an order, as the change since the calculation before: the sum over an order is the order as it counts now. Orders that never earned anything are in orders only.';
comment on column report.order_lines.period is 'Name of the period in which the change counts; empty while that is not decided';
comment on column report.order_lines.order_id is 'The order';
comment on column report.order_lines.calculation_no is 'Number of the calculation of the order, from 1';
comment on column report.order_lines.line is 'The store''s id of the line';
comment on column report.order_lines.store_id is 'The store';
comment on column report.order_lines.distributor_id is 'To whom the order is attributed';
comment on column report.order_lines.is_own is 'The distributor bought it itself';
comment on column report.order_lines.currency is 'ISO 4217';
comment on column report.order_lines.ordered_at is 'When it was ordered';
comment on column report.order_lines.calculated_at is 'When it was calculated';
comment on column report.order_lines.mapping_id is 'The version of the SKU mapping that gave the class; empty where nothing is mapped';
comment on column report.order_lines.sku_id is 'The SKU that the product is mapped to';
comment on column report.order_lines.commission_class is 'The commission class that the product is mapped to';
comment on column report.order_lines.quantity is 'Change of the quantity ordered';
comment on column report.order_lines.sold is 'Change of what was sold: goods after discounts, without tax, before refunds';
comment on column report.order_lines.refunded is 'Change of what was given back of it';
comment on column report.order_lines.net is 'Change of the commissionable net: sold less refunded';

create view report.orders as
select order_id, store_id, external_id, status, array_to_string(exemptions, ',') as exemptions, distributor_id,
       own as is_own, currency::text as currency, ordered_at, received_at, total, sold, refunded, net, calculation_no
from orders;
comment on view report.orders is 'One row for each order, as it stands now.';
comment on column report.orders.order_id is 'The order';
comment on column report.orders.store_id is 'The store';
comment on column report.orders.external_id is 'The store''s own id of the order';
comment on column report.orders.status is 'awaiting, held, exempt or commissionable';
comment on column report.orders.exemptions is 'Why it earns nothing by rule, separated by commas';
comment on column report.orders.distributor_id is 'To whom it is attributed';
comment on column report.orders.is_own is 'The distributor bought it itself';
comment on column report.orders.currency is 'ISO 4217';
comment on column report.orders.ordered_at is 'When it was ordered';
comment on column report.orders.received_at is 'When the newest delivery that changed it was received';
comment on column report.orders.total is 'Everything the customer was asked to pay';
comment on column report.orders.sold is 'Goods after discounts, without tax, before refunds';
comment on column report.orders.refunded is 'What was given back of them';
comment on column report.orders.net is 'Commissionable net: sold less refunded';
comment on column report.orders.calculation_no is 'How often it was calculated';

create view report.deliveries as
select b.name as period, d.delivery_id, d.store_id, d.topic, d.triggered_at, d.received_at,
       encode(d.body_sha256, 'hex') as body_sha256, o.verdict, o.processed_at,
       (select count(*) from delivery_repeats r where r.delivery_id = d.delivery_id) as repeats, d.redacted_at
from deliveries d
left join (select name, ends_at, lag(ends_at, 1, '-infinity') over (order by starts_at) as ends_before from periods) b
  on d.received_at < b.ends_at and d.received_at >= b.ends_before
left join lateral (
  select verdict, processed_at from delivery_outcomes o
  where o.delivery_id = d.delivery_id order by outcome_no desc limit 1) o on true;
comment on view report.deliveries is 'One row for each delivery of a store: a webhook, a call of the API, or an order that was read at the store. Not its content.';
comment on column report.deliveries.period is 'Name of the period in which it was received; empty before there is one';
comment on column report.deliveries.delivery_id is 'The delivery';
comment on column report.deliveries.store_id is 'The store';
comment on column report.deliveries.topic is 'What it is about, in the platform''s word';
comment on column report.deliveries.triggered_at is 'When it happened, as the store says';
comment on column report.deliveries.received_at is 'When it was received';
comment on column report.deliveries.body_sha256 is 'SHA-256 of the bytes on the wire, in hexadecimal digits';
comment on column report.deliveries.verdict is 'What came of it last: applied, superseded, unchanged, ignored or unreadable; empty while it waits';
comment on column report.deliveries.processed_at is 'When that was';
comment on column report.deliveries.repeats is 'How often it came again';
comment on column report.deliveries.redacted_at is 'When personal data was taken out of its body';

create view report.held as
select h.order_id, h.hold_no, o.store_id, h.reason,
       -- What stands at a distributor's place may be anything that a customer has typed.
       case when h.reason in ('unmapped_sku', 'unknown_class', 'unknown_currency', 'other_currency') then h.cause end as cause,
       h.line, o.currency::text as currency, o.net as order_net, o.ordered_at, h.held_at
from holds h join orders o using (order_id);
comment on view report.held is 'One row for each reason why an order waits for a person now. An order with two reasons has two rows: its value is in both.';
comment on column report.held.order_id is 'The order';
comment on column report.held.hold_no is 'Number of the reason within the order';
comment on column report.held.store_id is 'The store';
comment on column report.held.reason is 'Why it waits';
comment on column report.held.cause is 'What orders of the same reason share, such as the SKU; only for SKUs, classes and currencies';
comment on column report.held.line is 'The store''s id of the line that it is about; empty for the whole order';
comment on column report.held.currency is 'ISO 4217';
comment on column report.held.order_net is 'Commissionable net of the whole order';
comment on column report.held.ordered_at is 'When it was ordered';
comment on column report.held.held_at is 'Since when it waits';

create view report.distributor as
select distributor_id, sponsor_id, status, rank, country, created_at as enrolled_at from distributors;
comment on view report.distributor is 'One row for each distributor, as they stand now.';
comment on column report.distributor.distributor_id is 'The distributor';
comment on column report.distributor.sponsor_id is 'Who sponsors them now';
comment on column report.distributor.status is 'prospect, active, suspended or terminated';
comment on column report.distributor.rank is 'Rank now';
comment on column report.distributor.country is 'Country';
comment on column report.distributor.enrolled_at is 'When they were enrolled';

create view report.distributor_history as
select distributor_id, version_no, sponsor_id, status, rank, rank_decided as is_rank_decided,
       nullif(effective_from, '-infinity') as effective_from, recorded_at
from distributor_versions;
comment on view report.distributor_history is 'One row for each version of a distributor. At an instant the version with the greatest effective_from not after it holds, of those the greatest version_no; with recorded_at up to an instant it is what was known then.';
comment on column report.distributor_history.distributor_id is 'The distributor';
comment on column report.distributor_history.version_no is 'Number of the version, from 1';
comment on column report.distributor_history.sponsor_id is 'Sponsor of the version';
comment on column report.distributor_history.status is 'prospect, active, suspended or terminated';
comment on column report.distributor_history.rank is 'Rank of the version';
comment on column report.distributor_history.is_rank_decided is 'true: the close of a period decided the rank; false: it was given by hand';
comment on column report.distributor_history.effective_from is 'Since when it is true; empty: always';
comment on column report.distributor_history.recorded_at is 'When it became known';

create view report.store as
select store_id, slug, platform, name, active as is_active, created_at from stores;
comment on view report.store is 'One row for each store.';
comment on column report.store.store_id is 'The store';
comment on column report.store.slug is 'Its name in addresses';
comment on column report.store.platform is 'shopify, woocommerce, magento or direct';
comment on column report.store.name is 'Its name';
comment on column report.store.is_active is 'Whether it is in use';
comment on column report.store.created_at is 'When it was set up';

create view report.sku_class as
select mapping_id, store_id, platform, key_kind, key_value as platform_sku, sku_id, name, category, commission_class,
       nullif(effective_from, '-infinity') as effective_from, recorded_at
from sku_mappings;
comment on view report.sku_class is 'One row for each version of a SKU mapping. The greatest mapping_id of a key and effective_from holds.';
comment on column report.sku_class.mapping_id is 'The version';
comment on column report.sku_class.store_id is 'The store; empty: all stores of the platform';
comment on column report.sku_class.platform is 'shopify, woocommerce, magento or direct';
comment on column report.sku_class.key_kind is 'variant, sku or product: what platform_sku is';
comment on column report.sku_class.platform_sku is 'The platform''s own id or SKU';
comment on column report.sku_class.sku_id is 'The SKU that it is mapped to';
comment on column report.sku_class.name is 'Name of the product';
comment on column report.sku_class.category is 'Category of the product';
comment on column report.sku_class.commission_class is 'Commission class in the plan';
comment on column report.sku_class.effective_from is 'Since when it holds; empty: always';
comment on column report.sku_class.recorded_at is 'When it was recorded';

create view report.plan_version as
select u.publication_no, encode(u.plan_hash, 'hex') as plan_hash, p.name, u.effective_from, u.published_at
from plan_publications u join plans p using (plan_hash);
comment on view report.plan_version is 'One row for each publication of a plan. At an instant the greatest effective_from not after it holds, of those the greatest publication_no.';
comment on column report.plan_version.publication_no is 'Number of the publication';
comment on column report.plan_version.plan_hash is 'SHA-256 of the plan, in hexadecimal digits';
comment on column report.plan_version.name is 'Name of the plan';
comment on column report.plan_version.effective_from is 'Since when it holds';
comment on column report.plan_version.published_at is 'When it was published';

create view report.period as
select p.period_id, p.name, p.starts_at, p.ends_at, p.status, encode(p.plan_hash, 'hex') as plan_hash, p.cutoff_seq,
       p.known_at, p.run_id, (select min(c.changed_at) from period_changes c
                              where c.period_id = p.period_id and c.change = 'closed') as closed_at
from periods p;
comment on view report.period is 'One row for each period.';
comment on column report.period.period_id is 'The period';
comment on column report.period.name is 'Its name, as in the column period of the facts';
comment on column report.period.starts_at is 'Its first instant';
comment on column report.period.ends_at is 'The first instant after it';
comment on column report.period.status is 'open, soft_closed, frozen or closed';
comment on column report.period.plan_hash is 'SHA-256 of the plan that it is calculated with, in hexadecimal digits; empty before the freeze';
comment on column report.period.cutoff_seq is 'The last volume fact that it was calculated from; empty before the freeze';
comment on column report.period.known_at is 'Distributors counted as known then; empty before the freeze';
comment on column report.period.run_id is 'The run that was posted; empty before the close';
comment on column report.period.closed_at is 'When it was closed; empty before the close';

create view report.date as
select day::date as date, extract(year from day)::int as year, extract(quarter from day)::int as quarter,
       extract(month from day)::int as month, extract(day from day)::int as day_of_month,
       extract(isoyear from day)::int as iso_year, extract(week from day)::int as iso_week,
       extract(isodow from day)::int as iso_weekday
from generate_series(timestamp '2015-01-01', timestamp '2044-12-31', interval '1 day') as day;
comment on view report.date is 'One row for each day from 2015 to 2044.';
comment on column report.date.date is 'The day';
comment on column report.date.year is 'Year';
comment on column report.date.quarter is 'Quarter, 1 to 4';
comment on column report.date.month is 'Month, 1 to 12';
comment on column report.date.day_of_month is 'Day of the month, 1 to 31';
comment on column report.date.iso_year is 'Year of the ISO week';
comment on column report.date.iso_week is 'ISO week, 1 to 53';
comment on column report.date.iso_weekday is 'Day of the week, 1 Monday to 7 Sunday';

create view report.ledger as
select e.event_id, e.order_id, e.distributor_id, e.amount,
       -- The value that named the distributor may be anything that a customer has typed.
       c.calc_snapshot_json #- '{context,attributed,value}' as calc_snapshot_json
from commission_events e
join calculations c on c.order_id = e.order_id and c.calculation_no = e.calculation_no;
comment on view report.ledger is 'One row for each commission event, with the columns of the first data model.';
comment on column report.ledger.event_id is 'The event';
comment on column report.ledger.order_id is 'The order, or the run';
comment on column report.ledger.distributor_id is 'Who earns';
comment on column report.ledger.amount is 'Positive: earned; negative: taken back';
comment on column report.ledger.calc_snapshot_json is 'Everything it was calculated with';

create view report.sku_mapping as
select sku_id, platform, platform_sku, name, category, commission_class from sku_mapping;
comment on view report.sku_mapping is 'One row for each SKU mapping that holds now, with the columns of the first data model.';
comment on column report.sku_mapping.sku_id is 'The SKU that it is mapped to';
comment on column report.sku_mapping.platform is 'shopify, woocommerce, magento or direct';
comment on column report.sku_mapping.platform_sku is 'The platform''s own id or SKU';
comment on column report.sku_mapping.name is 'Name of the product';
comment on column report.sku_mapping.category is 'Category of the product';
comment on column report.sku_mapping.commission_class is 'Commission class in the plan';
