drop table run_lots, run_standings, run_pools, run_cuts, run_awards, run_periods, runs, period_changes, periods, volume_facts;
drop function volume_lines;
alter table orders drop column own;
