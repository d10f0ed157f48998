drop table cache_versions;
drop function make_append_only(regclass);
drop function refuse_change();
