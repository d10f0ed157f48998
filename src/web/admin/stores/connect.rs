//! Connecting a store step by step. Each step rests on what is stored, so that leaving and coming back loses
//! nothing; credentials are never shown again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Path;
use askama::Template;
use chrono_tz::Tz;
use serde::Deserialize;

use super::guide::{self, Field, Step};
use super::health::Health;
use super::list::{self, NewStore};
use super::{PLATFORMS, Trouble, asked, platform_name, witness};
use crate::access::{Role, Session};
use crate::connections::{self, ConnectionProblem, Given, Wanted, unreachable};
use crate::db::DbError;
use crate::ingest;
use crate::stores::Platform;
use crate::web::admin::desk::{Desk, nothing};
use crate::web::admin::field::Wrong;
use crate::web::admin::notices::sentence;
use crate::web::admin::shell::Shell;
use crate::web::error::Refusal;
use crate::web::session::{Admin, Denied, Form, Viewer};

/// The first step: what and where.
#[derive(Template)]
#[template(path = "admin/store_new.html")]
pub struct FirstPage {
    pub shell: Shell,
    pub form: NewStore,
    pub wrong: Wrong,
    /// Those that have an API of their own.
    pub platforms: Vec<(&'static str, &'static str)>,
}

/// The steps after the first.
#[derive(Template)]
#[template(path = "admin/store_connect.html")]
pub struct ConnectPage {
    pub shell: Shell,
    pub slug: String,
    pub name: String,
    pub platform: Platform,
    pub platform_name: String,
    pub to_make: Vec<Step>,
    pub fields: Vec<Field>,
    /// What was typed, without what is secret.
    pub form: Typed,
    pub wrong: Wrong,
    /// The store did not let us in.
    pub trouble: Option<Trouble>,
    pub health: Option<Health>,
    pub webhook_url: String,
    /// Why the store will never deliver there; empty when it may.
    pub out_of_reach: String,
    pub may_change: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub base: String,
    pub zone: String,
    pub allow_private: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    Done,
    Now,
    Ahead,
}

impl Stand {
    pub fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Ahead => "ahead",
        }
    }

    fn of(done: bool, before: Self) -> Self {
        match (done, before) {
            (true, _) => Self::Done,
            (false, Self::Done) => Self::Now,
            (false, _) => Self::Ahead,
        }
    }
}

impl ConnectPage {
    fn pasted(&self) -> Stand {
        Stand::of(self.health.is_some() && self.trouble.is_none(), Stand::Done)
    }

    fn tested(&self) -> Stand {
        Stand::of(self.health.as_ref().is_some_and(|health| health.problem.is_empty()), self.pasted())
    }

    fn subscribed(&self) -> Stand {
        let done = self.health.as_ref().is_some_and(|health| health.is_subscribed() || !health.keeps);
        Stand::of(done || !self.sends(), self.tested())
    }

    fn filled(&self) -> Stand {
        Stand::of(false, self.subscribed())
    }

    /// The platform tells changes by itself.
    fn sends(&self) -> bool {
        self.platform != Platform::Magento
    }

    fn backfill(&self) -> String {
        format!("upline backfill {} --since 2026-01-01", self.slug)
    }

    fn common(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.rare)
    }

    fn rare(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.rare)
    }
}

pub async fn first(admin: Admin, desk: Desk) -> Result<HttpResponse, Denied> {
    show_first(&admin, &desk, StatusCode::OK, NewStore::default(), Wrong::default()).await
}

async fn show_first(
    session: &Session,
    desk: &Desk,
    status: StatusCode,
    form: NewStore,
    wrong: Wrong,
) -> Result<HttpResponse, Denied> {
    let (shell, ()) = desk.read(session, "stores", |_| Ok(())).await?;
    let with_api = PLATFORMS.iter().filter(|(platform, _)| *platform != Platform::Direct);
    let platforms = with_api.map(|(platform, name)| (platform.as_str(), *name)).collect();
    desk.show_as(status, &FirstPage { shell, form, wrong, platforms })
}

/// Makes the store. Its secret comes with its connection.
pub async fn make(admin: Admin, desk: Desk, form: Form<NewStore>) -> Result<HttpResponse, Denied> {
    let form = form.0;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let wanted = match list::wanted(&form) {
        Ok(wanted) => wanted,
        Err(wrong) => return show_first(&admin, &desk, status, form, wrong).await,
    };
    let slug = wanted.slug.clone();
    match list::insert(&admin, &desk, wanted, None).await? {
        Ok(()) => {
            let next = format!("/admin/stores/{slug}/connect");
            Ok(HttpResponse::SeeOther().insert_header((LOCATION, next)).finish())
        }
        Err(problem) => {
            let wrong = Wrong::default().with("slug", problem);
            show_first(&admin, &desk, status, form, wrong).await
        }
    }
}

pub async fn page(viewer: Viewer, desk: Desk, slug: Path<String>) -> Result<HttpResponse, Denied> {
    show(&viewer, &desk, &slug, None, Wrong::default(), None).await
}

async fn show(
    session: &Session,
    desk: &Desk,
    slug: &str,
    typed: Option<Typed>,
    wrong: Wrong,
    trouble: Option<Trouble>,
) -> Result<HttpResponse, Denied> {
    let asked = slug.to_owned();
    let read = desk.read(session, "stores", move |conn| {
        let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == asked);
        let Some(store) = store else { return Ok(None) };
        let connection = connections::connection(conn, &asked)?;
        let subscriptions = connections::subscriptions(conn, store.id)?;
        Ok(Some((store, connection, subscriptions)))
    });
    let (mut shell, found) = read.await?;
    let (store, connection, subscriptions) = found.ok_or_else(|| nothing("store"))?;
    shell.here = format!("/admin/stores/{slug}/connect");
    let platform = store.platform.parse::<Platform>().map_err(|_| Refusal::internal())?;
    if platform == Platform::Direct {
        return Err(nothing("API of a direct store: it calls ours"));
    }
    let known = connection.as_ref().map(|connection| Typed {
        base: connection.base_url.clone(),
        zone: String::new(),
        allow_private: connection.allow_private,
    });
    let form = typed.or(known).unwrap_or_default();
    let health = connection.map(|connection| Health::of(&connection, &subscriptions, desk.now()));
    let sound = wrong.is_empty() && trouble.is_none();
    let page = ConnectPage {
        shell,
        slug: store.slug,
        name: store.name,
        platform,
        platform_name: platform_name(&store.platform),
        to_make: guide::to_make(platform),
        fields: guide::fields(platform),
        out_of_reach: unreachable(platform, &desk.state.public_url, form.allow_private).unwrap_or_default(),
        form,
        wrong,
        trouble,
        health,
        webhook_url: desk.state.link(&format!("/webhooks/{slug}")),
        may_change: session.role >= Role::Admin,
    };
    desk.show_as(if sound { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Pasted {
    base: String,
    zone: String,
    allow_private: bool,
    client_id: String,
    client_secret: String,
    token: String,
    consumer_key: String,
    consumer_secret: String,
    access_token: String,
    access_token_secret: String,
}

/// Tests what was pasted, and keeps it when the store lets us in.
pub async fn connect(
    admin: Admin,
    desk: Desk,
    slug: Path<String>,
    form: Form<Pasted>,
) -> Result<HttpResponse, Denied> {
    let form = form.0;
    let typed = Typed {
        base: form.base.trim().to_owned(),
        zone: form.zone.trim().to_owned(),
        allow_private: form.allow_private,
    };
    let platform = platform_of(&desk, &slug).await?;
    let mut wrong = Wrong::default();
    let zone = match typed.zone.parse::<Tz>() {
        Ok(zone) => Some(zone),
        Err(_) if typed.zone.is_empty() => None,
        Err(_) => {
            wrong.add("zone", ConnectionProblem::Zone(typed.zone.clone()).to_string());
            return show(&admin, &desk, &slug, Some(typed), wrong, None).await;
        }
    };
    let wanted = Wanted {
        slug: slug.clone(),
        base: typed.base.clone(),
        zone,
        allow_private: Some(typed.allow_private),
        given: given(form),
        ..Wanted::default()
    };
    let (session, of) = (admin.0.clone(), slug.clone());
    let saved = asked(&desk, move |keeper| {
        let checked = keeper.check(&wanted)?;
        keeper.save(&checked, &witness(&session, &of, keeper))
    });
    let problem = match saved.await? {
        Ok(_) => {
            return Ok(
                desk.done(&format!("/admin/stores/{slug}/connect"), "The store let us in. It is connected.")
            );
        }
        Err(problem) => problem,
    };
    let trouble = match &problem {
        ConnectionProblem::Given(given) => {
            wrong.add(given.field, sentence(&given.message));
            None
        }
        ConnectionProblem::Address(address) => {
            wrong.add("base", sentence(&address.to_string()));
            None
        }
        ConnectionProblem::OtherAddress(_) => {
            wrong.add("base", sentence(&problem.to_string()));
            None
        }
        other => Some(Trouble::of(other, platform)),
    };
    show(&admin, &desk, &slug, Some(typed), wrong, trouble).await
}

async fn platform_of(desk: &Desk, slug: &str) -> Result<Platform, Denied> {
    let asked = slug.to_owned();
    let read = desk.state.db.read_async(crate::db::Lane::Admin, move |conn| {
        let store = ingest::list_stores(conn)?.into_iter().find(|store| store.slug == asked);
        store
            .map(|store| store.platform.parse())
            .transpose()
            .map_err(|_| DbError::Damaged(format!("platform of {asked}")))
    });
    read.await.map_err(Refusal::from)?.ok_or_else(|| nothing("store"))
}

fn given(form: Pasted) -> Given {
    Given {
        client_id: form.client_id,
        client_secret: form.client_secret,
        token: form.token,
        consumer_key: form.consumer_key,
        consumer_secret: form.consumer_secret,
        access_token: form.access_token,
        access_token_secret: form.access_token_secret,
    }
}
