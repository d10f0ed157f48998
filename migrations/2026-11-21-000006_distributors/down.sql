drop table distributor_codes, distributor_versions, distributors;
