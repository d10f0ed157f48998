//! The ordered places where a store's orders name the distributor, changed one at a time.

use actix_web::HttpResponse;
use actix_web::web::Path;
use serde::Deserialize;
use serde_json::json;

use super::{one, told};
use crate::access::audit;
use crate::ingest;
use crate::stores::is_place;
use crate::web::admin::desk::{Desk, nothing};
use crate::web::admin::field::Wrong;
use crate::web::session::{Admin, Denied, Form};

#[derive(Deserialize)]
pub struct Change {
    act: Act,
    place: String,
    /// The list as the page showed it, joined with commas: nobody changes another than he saw.
    was: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    Add,
    Remove,
    Up,
    Down,
}

pub async fn change(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Change>,
) -> Result<HttpResponse, Denied> {
    let Change { act, place, was } = form.0;
    let before: Vec<String> =
        was.split(',').map(str::trim).filter(|place| !place.is_empty()).map(str::to_owned).collect();
    let after = match changed(&before, act, place.trim()) {
        Ok(after) => after,
        Err(why) => {
            let wrong = Wrong::default().with("place", why);
            return one::show(&admin, &desk, &slug, None, wrong).await;
        }
    };
    let (by, now, asked) = (admin.email.clone(), desk.now(), slug.clone());
    let written = desk.write(move |tx| {
        let store = ingest::list_stores(tx.conn)?.into_iter().find(|store| store.slug == asked);
        let Some(store) = store else { return Ok(None) };
        if store.attribution != before {
            return Ok(Some(false));
        }
        let set = told(ingest::set_attribution(tx, &asked, &after))?;
        if set.is_ok() {
            let detail = json!({"before": before, "after": after});
            audit::record(tx, &by, "store.attribution", &asked, detail, now)?;
        }
        Ok(Some(set.is_ok()))
    });
    if written.await?.ok_or_else(|| nothing("store"))? {
        return Ok(desk.done(&format!("/admin/stores/{slug}#attribution"), "The places are changed."));
    }
    let wrong = Wrong::default().with("place", "Somebody else changed the places meanwhile: look again.");
    one::show(&admin, &desk, &slug, None, wrong).await
}

fn changed(before: &[String], act: Act, place: &str) -> Result<Vec<String>, String> {
    let mut places = before.to_vec();
    let at = places.iter().position(|known| known == place);
    match (act, at) {
        (Act::Add, Some(_)) => return Err(format!("{place} is in the list already.")),
        (Act::Add, None) if !is_place(place) => return Err(format!("{place:?} is no place.")),
        (Act::Add, None) => places.push(place.to_owned()),
        (_, None) => return Err(format!("{place} is not in the list any more.")),
        (Act::Remove, Some(at)) => {
            places.remove(at);
        }
        (Act::Up, Some(at)) if at > 0 => places.swap(at, at - 1),
        (Act::Down, Some(at)) if at + 1 < places.len() => places.swap(at, at + 1),
        (Act::Up | Act::Down, Some(_)) => {}
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_added_moved_and_taken_away() {
        let of = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let before = of("order_meta:a discount_code customer");
        let after = |act, place: &str| changed(&before, act, place).map(|places| places.join(" "));
        assert_eq!(after(Act::Up, "customer").unwrap(), "order_meta:a customer discount_code");
        assert_eq!(after(Act::Up, "order_meta:a").unwrap(), before.join(" "));
        assert_eq!(after(Act::Down, "order_meta:a").unwrap(), "discount_code order_meta:a customer");
        assert_eq!(after(Act::Down, "customer").unwrap(), before.join(" "));
        assert_eq!(after(Act::Remove, "discount_code").unwrap(), "order_meta:a customer");
        assert!(after(Act::Add, "landing_url:ref").unwrap().ends_with("customer landing_url:ref"));
        assert!(after(Act::Add, "customer").unwrap_err().contains("already"));
        assert!(after(Act::Add, "cookie:x").unwrap_err().contains("no place"));
        assert!(after(Act::Remove, "gone").unwrap_err().contains("any more"));
    }
}
