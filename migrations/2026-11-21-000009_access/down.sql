drop table audit_log, idempotency_keys, api_tokens, sessions, login_links, users;
