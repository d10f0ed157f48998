alter table store_connections drop column webhooks, drop column checked_at, drop column heard_at, drop column rotating_since;
drop table store_webhooks;
