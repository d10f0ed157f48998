drop table store_connections;
