drop schema report cascade;
drop view bookings;
