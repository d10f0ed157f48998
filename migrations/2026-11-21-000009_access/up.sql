create table users (
  user_id int generated always as identity primary key,
  email text not null unique,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  -- Argon2id; null until the one-time login has set one
  password_hash text,
  created_at timestamptz not null,
  disabled_at timestamptz
);

-- A link that signs in once: printed on the console, never mailed, never stored in the clear.
create table login_links (
  token_hash bytea primary key,
  user_id int not null references users,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table sessions (
  token_hash bytea primary key,
  user_id int not null references users,
  csrf text not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);

create table api_tokens (
  token_id int generated always as identity primary key,
  token_hash bytea not null unique,
  name text not null,
  scope text not null check (scope in ('read', 'orders', 'admin')),
  -- orders sent with this token belong to this store; null: to the store `direct`
  store_id int references stores,
  created_at timestamptz not null,
  revoked_at timestamptz
);

create table idempotency_keys (
  token_id int not null references api_tokens,
  idempotency_key text not null,
  request_sha256 bytea not null,
  status smallint not null,
  response text not null,
  created_at timestamptz not null,
  primary key (token_id, idempotency_key)
);

create table audit_log (
  audit_id uuid primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  object text not null,
  detail jsonb not null default '{}'
);
select make_append_only('audit_log');
