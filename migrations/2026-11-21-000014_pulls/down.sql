drop table pull_marks, pulls;
