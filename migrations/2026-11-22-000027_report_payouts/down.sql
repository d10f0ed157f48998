drop view report.payout_items;
