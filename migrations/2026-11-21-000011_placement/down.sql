delete from cache_versions where name = 'placement';
drop table order_contexts, placement_versions;
