drop table entry_documents;
delete from accounts where account in (1000, 1200, 2110, 2120, 2130, 2140, 2190, 2900, 4200, 5180, 5200);
