//! What is exported of a period: views of the schema `report`, cut so that nothing which can still change is in it.

/// One file of an export.
pub struct Dataset {
    /// The view, and the name of the file.
    pub name: &'static str,
    /// Columns that change after the close.
    pub left_out: &'static [&'static str],
    /// Its rows, with the name of the period as `$1`. Once the period is closed they are the same for ever.
    pub rows: &'static str,
    /// A total order; text is compared by its bytes, so that it is the same on every server.
    pub order: &'static str,
    /// What is summed up in the manifest, by which columns.
    pub sum: Option<(&'static str, &'static [&'static str])>,
}

pub const POSTINGS: &str = "postings";

pub const DATASETS: [Dataset; 8] = [
    Dataset {
        name: POSTINGS,
        left_out: &[],
        rows: "period = $1",
        order: "source_id, entry_no, posting_no",
        sum: Some(("amount", &["account", "account_name", "currency"])),
    },
    Dataset {
        name: "commission_events",
        left_out: &[],
        rows: "period = $1",
        order: "source_id, event_id",
        sum: Some(("amount", &["kind", "currency"])),
    },
    Dataset {
        name: "order_lines",
        left_out: &[],
        rows: "period = $1",
        order: "order_id, calculation_no, line collate \"C\"",
        sum: Some(("net", &["currency"])),
    },
    Dataset {
        name: "payout_items",
        left_out: &["status", "code", "changed_at"],
        rows: "period = $1",
        order: "item_no",
        sum: Some(("net", &["rail", "currency"])),
    },
    Dataset {
        name: "deliveries",
        left_out: &["verdict", "processed_at", "repeats", "redacted_at"],
        rows: "period = $1",
        order: "delivery_id",
        sum: None,
    },
    Dataset {
        // As known at the freeze, which is what the period was calculated with.
        name: "distributor_history",
        left_out: &[],
        rows: "recorded_at <= (select known_at from report.period where name = $1)",
        order: "distributor_id collate \"C\", version_no",
        sum: None,
    },
    Dataset {
        name: "sku_class",
        left_out: &[],
        rows: "mapping_id in (select mapping_id from report.order_lines where period = $1)",
        order: "mapping_id",
        sum: None,
    },
    Dataset {
        name: "store",
        left_out: &["name", "is_active"],
        rows: "store_id in (select f.store_id from bookings b
                            join volume_facts f on f.order_id = b.source_id and f.calculation_no = b.entry_no
                            where b.period = $1
                            union select store_id from report.deliveries where period = $1)",
        order: "store_id",
        sum: None,
    },
];
