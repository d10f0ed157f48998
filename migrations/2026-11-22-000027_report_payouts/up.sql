create view report.payout_items as
select p.name as period, i.item_id, i.item_no, b.batch_id, b.batch_no, b.rail, i.distributor_id,
       i.currency::text as currency, i.gross, i.fee, i.withheld, i.net, b.created_at as prepared_at, i.status,
       i.code, i.changed_at
from payout_items i
join payout_batches b using (batch_id)
left join (select name, ends_at, lag(ends_at, 1, '-infinity') over (order by starts_at) as ends_before from periods) p
  on b.created_at < p.ends_at and b.created_at >= p.ends_before;
comment on view report.payout_items is 'One row for each payout of a distributor. Its money never changes, its status does.';
comment on column report.payout_items.period is 'Name of the period in which it was prepared; empty before there is one';
comment on column report.payout_items.item_id is 'The payout; also its end-to-end reference';
comment on column report.payout_items.item_no is 'Its number over all batches';
comment on column report.payout_items.batch_id is 'The batch; the source_id of its postings';
comment on column report.payout_items.batch_no is 'Number of the batch';
comment on column report.payout_items.rail is 'nacha, sepa, paypal, wise or csv';
comment on column report.payout_items.distributor_id is 'Who is paid';
comment on column report.payout_items.currency is 'ISO 4217';
comment on column report.payout_items.gross is 'What left the balance';
comment on column report.payout_items.fee is 'Fee of the payout, kept';
comment on column report.payout_items.withheld is 'Tax withheld';
comment on column report.payout_items.net is 'What is paid out: gross less fee and withheld';
comment on column report.payout_items.prepared_at is 'When its batch was prepared';
comment on column report.payout_items.status is 'prepared, cancelled, approved, exported, sent, confirmed, returned or unknown';
comment on column report.payout_items.code is 'Code that the bank said last';
comment on column report.payout_items.changed_at is 'When its status changed last';
