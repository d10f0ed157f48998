drop table plan_publications, plans;
