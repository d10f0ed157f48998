drop table delivery_outcomes, delivery_repeats, deliveries, store_secrets, stores;
