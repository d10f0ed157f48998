drop table manual_attributions, holds, order_revisions, orders;
