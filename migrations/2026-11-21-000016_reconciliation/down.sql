drop index delivery_outcomes_processed_at;
drop table reconciliation_requests;
drop table reconciliation_differences;
drop table reconciliation_sums;
drop table reconciliations;
drop index deliveries_received_at;
