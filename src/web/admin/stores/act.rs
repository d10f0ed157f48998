//! What is done with a connection from the store's page: test it, mend its webhooks, exchange the secret, pause,
//! disconnect.

use actix_web::HttpResponse;
use actix_web::web::Path;
use serde::Deserialize;
use serde_json::json;

use super::{Trouble, asked, one, witness};
use crate::access::audit;
use crate::connections::{Connection, ConnectionProblem, Disconnected, Ensured, Given, Rotation};
use crate::db::Lane;
use crate::stores::Platform;
use crate::web::admin::desk::{Desk, Nothing, nothing};
use crate::web::admin::field::Wrong;
use crate::web::admin::format::Tone;
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form};

async fn connection(desk: &Desk, slug: &str) -> Result<(Connection, Platform), Denied> {
    let asked = slug.to_owned();
    let read =
        desk.state.db.read_async(Lane::Admin, move |conn| crate::connections::connection(conn, &asked));
    let connection = read.await.map_err(Refusal::from)?.ok_or_else(|| nothing("connected store"))?;
    let platform = connection.platform().map_err(Refusal::from)?;
    Ok((connection, platform))
}

fn back(slug: &str) -> String {
    format!("/admin/stores/{slug}")
}

fn trouble(desk: &Desk, to: &str, problem: &ConnectionProblem, platform: Platform) -> HttpResponse {
    desk.go(to, Tone::Bad, &Trouble::of(problem, platform).line())
}

pub async fn test(
    _admin: Admin,
    desk: Desk,
    slug: Path<String>,
    _form: Form<Nothing>,
) -> Result<HttpResponse, Denied> {
    let (connection, platform) = connection(&desk, &slug).await?;
    let tested = match asked(&desk, move |keeper| keeper.test(&connection)).await? {
        Ok(tested) => tested,
        Err(problem) => return Ok(trouble(&desk, &back(&slug), &problem, platform)),
    };
    let problem = match (&tested.facts, &tested.webhooks) {
        (Err(problem), _) | (_, Some(Err(problem))) => Some(problem),
        _ => None,
    };
    Ok(match problem {
        Some(problem) => trouble(&desk, &back(&slug), problem, platform),
        None if tested.is_sound() => {
            desk.done(&back(&slug), "The store answers, and all is as it should be.")
        }
        None => desk.go(
            &back(&slug),
            Tone::Warn,
            "The store answers, but webhooks are missing or off: mend them.",
        ),
    })
}

#[derive(Deserialize)]
pub struct Where {
    /// The steps of connecting go on there.
    #[serde(default)]
    steps: bool,
}

pub async fn mend(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Where>,
) -> Result<HttpResponse, Denied> {
    let (connection, platform) = connection(&desk, &slug).await?;
    let to = if form.0.steps { format!("{}/connect", back(&slug)) } else { back(&slug) };
    let (by, of) = (admin.email.clone(), slug.clone());
    let tended = asked(&desk, move |keeper| {
        keeper.keep_webhooks(&connection, true)?;
        let tended = keeper.tend(&connection)?;
        let act = "store.webhooks.ensure";
        keeper.db.transact(Lane::Admin, |tx| audit::record(tx, &by, act, &of, json!({}), keeper.now()))?;
        Ok(tended)
    });
    Ok(match tended.await? {
        Ok(ensured) => ensured_told(&desk, &to, &ensured),
        Err(problem) => trouble(&desk, &to, &problem, platform),
    })
}

fn ensured_told(desk: &Desk, to: &str, ensured: &Ensured) -> HttpResponse {
    let broken = ensured.broken().count();
    let repaired = ensured.done.iter().filter(|done| done.is_repair()).count();
    match (broken, repaired) {
        (0, 0) => desk.done(to, "The webhooks are as they should be."),
        (0, count) => desk.done(to, &format!("{count} webhook(s) mended.")),
        (count, _) => {
            desk.go(to, Tone::Bad, &format!("{count} webhook(s) could not be made: see why below."))
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Exchanged {
    client_secret: String,
    token: String,
}

pub async fn rotate(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Exchanged>,
) -> Result<HttpResponse, Denied> {
    let (_, platform) = connection(&desk, &slug).await?;
    let Exchanged { client_secret, token } = form.0;
    if platform == Platform::Shopify && client_secret.trim().is_empty() {
        let wrong = Wrong::default().with("client_secret", "Paste the new client secret of the app.");
        return one::show(&admin, &desk, &slug, None, wrong).await;
    }
    let given = Given { client_secret, token, ..Given::default() };
    let (session, of) = (admin.0.clone(), slug.clone());
    let rotated = asked(&desk, move |keeper| keeper.rotate(&of, given, &witness(&session, &of, keeper)));
    Ok(match rotated.await? {
        Ok(Rotation::Done(ensured)) if ensured.broken().next().is_some() => {
            ensured_told(&desk, &back(&slug), &ensured)
        }
        Ok(Rotation::Done(_)) => desk
            .done(&back(&slug), "The secret is exchanged. The old one ends in a day, once nothing needs it."),
        Ok(Rotation::Ending { at }) => {
            let at = at.format("%Y-%m-%d %H:%M UTC");
            desk.done(&back(&slug), &format!("The secret was exchanged already. The old one ends at {at}."))
        }
        Err(problem) => trouble(&desk, &back(&slug), &problem, platform),
    })
}

#[derive(Deserialize)]
pub struct Paused {
    paused: bool,
}

pub async fn pause(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Paused>,
) -> Result<HttpResponse, Denied> {
    let (_, platform) = connection(&desk, &slug).await?;
    let (session, of, paused) = (admin.0.clone(), slug.clone(), form.0.paused);
    let done = asked(&desk, move |keeper| keeper.pause(&of, paused, &witness(&session, &of, keeper)));
    Ok(match done.await? {
        Ok(_) if paused => desk.done(&back(&slug), "The connection is paused. Deliveries are still taken."),
        Ok(_) => desk.done(&back(&slug), "The connection is at work again."),
        Err(problem) => trouble(&desk, &back(&slug), &problem, platform),
    })
}

#[derive(Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    confirm: String,
}

pub async fn disconnect(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Confirmed>,
) -> Result<HttpResponse, Denied> {
    let (_, platform) = connection(&desk, &slug).await?;
    if form.0.confirm.trim() != slug.as_str() {
        let wrong = Wrong::default().with("confirm", format!("Type {slug} to confirm."));
        return one::show(&admin, &desk, &slug, None, wrong).await;
    }
    let (session, of) = (admin.0.clone(), slug.clone());
    let gone = asked(&desk, move |keeper| keeper.disconnect(&of, &witness(&session, &of, keeper)));
    Ok(match gone.await? {
        Ok(Disconnected::Deleted(_)) => desk.done(
            &back(&slug),
            "The store is disconnected: our webhooks are deleted, the credentials forgotten.",
        ),
        Ok(Disconnected::Left(problem)) => {
            let text =
                format!("The credentials are forgotten. Delete our webhooks in the shop yourself: {problem}");
            desk.go(&back(&slug), Tone::Warn, &text)
        }
        Err(problem) => trouble(&desk, &back(&slug), &problem, platform),
    })
}
