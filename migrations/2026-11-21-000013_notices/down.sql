drop table notice_sends;
drop table notices;
