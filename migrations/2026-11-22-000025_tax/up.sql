-- Every figure that was given out, with the query that it came from and the seal of its rows.
create table published_figures (
  figure_no bigint generated always as identity primary key,
  -- form_1099, disclosure, customer_share
  name text not null check (name <> ''),
  -- what was asked for: year, currency, period
  parameters jsonb not null,
  query text not null,
  data_sha256 bytea not null check (length(data_sha256) = 32),
  data_rows bigint not null check (data_rows >= 0),
  -- its sums, as they were given out
  summary jsonb not null,
  -- the figure of the same name and parameters before this one, and in what this one differs
  follows bigint references published_figures,
  change jsonb,
  -- where the chain stood; null while nothing is chained
  head_seq bigint,
  head_hash text,
  published_at timestamptz not null,
  published_by text not null,
  check ((follows is null) = (change is null)),
  check ((head_seq is null) = (head_hash is null))
);
comment on column published_figures.data_sha256 is 'of the rows as CSV, with their header';
-- One figure follows another once: two people who publish at the same time do not both follow the same one.
create unique index published_figures_follows on published_figures (follows) where follows is not null;
create index published_figures_newest on published_figures (name, parameters, figure_no);
select make_append_only('published_figures');

-- The last number of a country and year. Whoever takes numbers holds the row, so there are no gaps.
create table self_billing_series (
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  year int not null check (year between 2000 and 2999),
  last_no int not null check (last_no > 0),
  primary key (country, year)
);

-- Documents that we make out for services of distributors: an invoice for a payout that was paid, a credit note for
-- one that came back after its invoice.
create table self_billing_invoices (
  country char(2) not null,
  year int not null,
  invoice_no int not null check (invoice_no > 0),
  kind text not null check (kind in ('invoice', 'credit_note')),
  item_id uuid not null references payout_items,
  distributor_id text not null references distributors,
  currency char(3) not null,
  -- before fees and taxes; a credit note takes it back
  amount numeric(20, 4) not null check (amount > 0 and amount <> 'NaN'),
  paid_on date not null,
  -- of the tax data that had the VAT number
  tax_version int not null,
  issued_at timestamptz not null,
  issued_by text not null,
  primary key (country, year, invoice_no),
  foreign key (country, year) references self_billing_series,
  constraint self_billing_once unique (item_id, kind)
);
create index self_billing_distributor on self_billing_invoices (distributor_id, issued_at);
select make_append_only('self_billing_invoices');
