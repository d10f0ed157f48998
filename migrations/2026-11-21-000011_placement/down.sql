delete from cache_versions where name = 'placement';
drop table placement_versions;
