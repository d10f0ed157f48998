//! One key of a platform: all versions of its mapping, and the form that adds one.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;
use serde::Deserialize;

use super::super::desk::{Desk, nothing};
use super::super::format::{Pill, Tone, When};
use super::super::shell::Shell;
use super::super::words;
use super::{again, classes, date, place, record, report};
use crate::catalog::NewMapping;
use crate::web::session::{Denied, Form, Operator, Viewer};

#[derive(Template)]
#[template(path = "admin/sku.html")]
pub struct SkuPage {
    pub shell: Shell,
    pub key: String,
    pub kind: String,
    pub place: String,
    pub mapping_id: i64,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: String,
    pub classes: Vec<String>,
    pub versions: Vec<Version>,
}

pub struct Version {
    pub mapping_id: i64,
    pub sku_id: String,
    pub name: String,
    pub category: String,
    pub class: Pill,
    pub from: Option<When>,
    pub recorded_at: When,
    pub recorded_by: String,
    pub imported: bool,
    pub holds: bool,
}

pub async fn page(viewer: Viewer, desk: Desk, id: Path<i64>) -> Result<HttpResponse, Denied> {
    let (id, state, now) = (id.into_inner(), desk.state.clone(), desk.now());
    let (shell, (classes, versions)) = desk
        .read(&viewer, "skus", move |conn| Ok((classes(conn, &state, now)?, report::history(conn, id)?)))
        .await?;
    // They come with the latest effective first; the first that is not in the future holds.
    let holding = versions.iter().find(|version| version.effective_from.is_none_or(|from| from <= now));
    let holds = holding.map(|version| version.mapping_id);
    let latest = holding.or(versions.first()).ok_or_else(|| nothing("SKU mapping"))?;
    let page = SkuPage {
        shell,
        key: latest.key_value.clone(),
        kind: latest.key_kind.clone(),
        place: place(latest),
        mapping_id: latest.mapping_id,
        sku_id: latest.sku_id.clone(),
        name: latest.name.clone(),
        category: latest.category.clone(),
        class: latest.commission_class.clone(),
        classes,
        versions: versions.iter().map(|version| shown(version, holds)).collect(),
    };
    desk.show(&page)
}

fn shown(found: &report::Row, holds: Option<i64>) -> Version {
    Version {
        mapping_id: found.mapping_id,
        sku_id: found.sku_id.clone(),
        name: found.name.clone(),
        category: found.category.clone(),
        class: words::class(&found.commission_class),
        from: found.effective_from.map(When),
        recorded_at: When(found.recorded_at),
        recorded_by: found.recorded_by.clone(),
        imported: found.imported,
        holds: Some(found.mapping_id) == holds,
    }
}

#[derive(Clone, Deserialize)]
pub struct Edit {
    sku_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    category: String,
    class: String,
    #[serde(default)]
    from: String,
}

pub async fn add_version(
    operator: Operator,
    desk: Desk,
    id: Path<i64>,
    form: Form<Edit>,
) -> Result<HttpResponse, Denied> {
    let (id, edit, now, by) = (id.into_inner(), form.0, desk.now(), operator.email.clone());
    let back = format!("/admin/skus/{id}");
    let from = match date(&edit.from) {
        Ok(from) => from.unwrap_or(now),
        Err(problem) => return Ok(desk.go(&back, Tone::Bad, &problem)),
    };
    if edit.sku_id.trim().is_empty() {
        return Ok(desk.go(&back, Tone::Bad, "Our SKU is missing."));
    }
    let added = desk
        .write(move |tx| {
            let Some(known) = report::by_id(tx.conn, &[id])?.pop() else { return Ok(0) };
            let mapping = NewMapping {
                sku_id: edit.sku_id.trim().to_owned(),
                name: edit.name.trim().to_owned(),
                category: edit.category.trim().to_owned(),
                commission_class: edit.class.clone(),
                from: Some(from),
                ..again(&known)?
            };
            Ok(record(tx, &[mapping], &edit.class, &by, now)?.0)
        })
        .await?;
    match added {
        0 => Err(nothing("SKU mapping")),
        _ => Ok(desk.done(&back, "The version is added.")),
    }
}
