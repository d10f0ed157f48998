drop table run_lots, run_standings, run_pools, run_cuts, run_awards, run_periods, runs, period_changes, periods, volume_facts;
drop function volume_lines, refuse_posted;
alter table distributor_versions drop column rank_decided;
drop index distributor_versions_recorded_at;
alter table orders drop column own;
