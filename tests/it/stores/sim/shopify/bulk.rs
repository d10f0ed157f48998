//! Bulk operations: a query runs by itself over everything and leaves a file of lines, each child behind its parent.

use serde_json::{Value, json};

use super::select::{Selection, parse, select};

/// An operation of the shop.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    pub file: String,
    pub roots: usize,
    /// For so many calls it is still running.
    pub running: u32,
}

impl Operation {
    /// `host` is where the file can be loaded from.
    pub fn state(&self, host: &str) -> Value {
        let done = self.running == 0;
        let number = self.id.rsplit('/').next().unwrap_or_default();
        let url = format!("http://{host}/bulk-files/{number}?signature=x");
        let url = (done && !self.file.is_empty()).then_some(url);
        json!({
            "__typename": "BulkOperation", "id": self.id, "status": if done { "COMPLETED" } else { "RUNNING" },
            "errorCode": null, "partialDataUrl": null,
            "objectCount": self.file.lines().count().to_string(), "rootObjectCount": self.roots.to_string(),
            "fileSize": done.then(|| self.file.len().to_string()), "url": url,
        })
    }
}

/// The selections of a query that may run in bulk, or what is wrong with it.
pub fn accept(query: &str) -> Result<Vec<Selection>, String> {
    let selections = parse(query)?;
    let mut connections = 0;
    for selection in &selections {
        check(selection, &mut connections, 0, false)?;
    }
    match connections {
        1..=5 => Ok(selections),
        0 => Err("Bulk queries must contain at least one connection.".to_owned()),
        _ => Err("Bulk queries cannot contain more than 5 connections.".to_owned()),
    }
}

/// Lists that are no connections.
const LISTS: [&str; 2] = ["refunds", "fulfillments"];

fn check(selection: &Selection, connections: &mut u32, depth: u32, in_list: bool) -> Result<(), String> {
    let (of, depth, in_list) = match selection {
        Selection::On { of, .. } => (of, depth, in_list),
        Selection::Field { name, of, .. } => {
            let is_connection = of.iter().any(
                |inner| matches!(inner, Selection::Field { name, .. } if name == "edges" || name == "nodes"),
            );
            if is_connection {
                *connections += 1;
                if in_list {
                    return Err(
                        "Queries that contain a connection field within a list field are not currently \
                                supported."
                            .to_owned(),
                    );
                }
                if depth > 2 {
                    return Err(
                        "Bulk queries cannot contain connections with a nesting depth greater than 2."
                            .to_owned(),
                    );
                }
            }
            (of, depth + u32::from(is_connection), in_list || LISTS.contains(&name.as_str()))
        }
    };
    of.iter().try_for_each(|inner| check(inner, connections, depth, in_list))
}

/// The lines of nodes, with those of their connections.
pub fn lines(
    nodes: &[Value],
    of: &[Selection],
    parent: Option<&Value>,
    file: &mut String,
) -> Result<(), String> {
    for node in nodes {
        let of = flat(of, node);
        let is_connection = |selection: &&Selection| matches!(selection, Selection::Field { name, .. } if node[name].get("$nodes").is_some());
        let own: Vec<Selection> = of.iter().filter(|inner| !is_connection(inner)).cloned().collect();
        let mut line = select(node, &own, &json!({}))?;
        if let Some(parent) = parent {
            line["__parentId"] = parent.clone();
        }
        file.push_str(&line.to_string());
        file.push('\n');
        for inner in of.iter().filter(is_connection) {
            let Selection::Field { name, of, .. } = inner else { continue };
            let children = node[name]["$nodes"].as_array().expect("nodes");
            lines(children, node_of(of), Some(&node["id"]), file)?;
        }
    }
    Ok(())
}

/// Fragments that fit the node, in place.
fn flat(of: &[Selection], node: &Value) -> Vec<Selection> {
    let mut found = vec![];
    for selection in of {
        match selection {
            Selection::On { kind, of } if node["__typename"] == json!(kind) => found.extend(flat(of, node)),
            Selection::On { .. } => {}
            field => found.push(field.clone()),
        }
    }
    found
}

/// What is selected of a connection's nodes: `edges { node { ... } }` or `nodes { ... }`.
pub fn node_of(of: &[Selection]) -> &[Selection] {
    for selection in of {
        if let Selection::Field { name, of, .. } = selection {
            match name.as_str() {
                "edges" => return node_of(of),
                "node" | "nodes" => return of,
                _ => {}
            }
        }
    }
    &[]
}
