drop table self_billing_invoices;
drop table self_billing_series;
drop table published_figures;
