//! Where notices go beside the admin pages: a webhook, mail.

use hmac::{Hmac, KeyInit, Mac};
use lettre::message::{Mailbox, Mailboxes};
use lettre::{Message, SmtpTransport, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;
use url::Url;

use super::Due;
use crate::clients::http::{Http, Method, Request, Response};
use crate::settings;

pub enum Channel {
    Webhook { http: Http, url: Url, secret: Option<SecretString> },
    Mail { smtp: SmtpTransport, from: Mailbox, to: Mailboxes },
}

#[derive(Debug, thiserror::Error)]
pub enum ChannelProblem {
    #[error("notices.webhook_url {0:?} is no http or https address")]
    BadUrl(String),
    #[error("notices.smtp_url cannot be used ({0}); write smtps://user:password@mail.example.com")]
    BadSmtp(String),
    #[error("notices.smtp_url needs notices.mail_from and notices.mail_to, as addresses: {0}")]
    BadAddress(String),
}

impl Channel {
    /// Those that the settings name.
    pub fn of(settings: &settings::Notices, http: &Http) -> Result<Vec<Self>, ChannelProblem> {
        let mut channels = vec![];
        if let Some(given) = &settings.webhook_url {
            let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            let url = Url::parse(given).ok().filter(usable);
            let url = url.ok_or_else(|| ChannelProblem::BadUrl(given.clone()))?;
            channels.push(Self::Webhook { http: http.clone(), url, secret: settings.webhook_secret.clone() });
        }
        if let Some(smtp) = &settings.smtp_url {
            let smtp = SmtpTransport::from_url(smtp.expose_secret())
                .map_err(|error| ChannelProblem::BadSmtp(error.to_string()))?
                .build();
            let bad = |error: &dyn std::fmt::Display| ChannelProblem::BadAddress(error.to_string());
            let from = settings.mail_from.as_deref().unwrap_or_default().parse().map_err(|e| bad(&e))?;
            let to = settings.mail_to.as_deref().unwrap_or_default().parse().map_err(|e| bad(&e))?;
            channels.push(Self::Mail { smtp, from, to });
        }
        Ok(channels)
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Mail { .. } => "mail",
        }
    }

    /// Blocking. What went wrong is for the person who set it up.
    pub fn send(&self, due: &Due, link: &str) -> Result<(), String> {
        match self {
            Self::Webhook { http, url, secret } => {
                let sent = http.once(&posted(url, secret.as_ref(), due, link)?, Response::ok);
                sent.map(drop).map_err(|error| error.to_string())
            }
            Self::Mail { smtp, from, to } => {
                let mail = mail(from, to, due, link).map_err(|error| error.to_string())?;
                smtp.send(&mail).map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

fn posted(url: &Url, secret: Option<&SecretString>, due: &Due, link: &str) -> Result<Request, String> {
    let body = json!({
        "notice_id": due.notice_id, "event": due.event, "key": due.key, "severity": due.severity,
        "subject": due.subject, "body": due.body, "store": due.store, "raised_at": due.raised_at,
        "resolved_at": due.resolved_at, "times": due.times, "link": link,
    });
    let body = body.to_string().into_bytes();
    let mut request = Request::json(Method::Post, url.clone(), body.clone());
    if let Some(secret) = secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            .map_err(|error| error.to_string())?;
        mac.update(&body);
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        request = request.header("X-Upline-Signature", signature);
    }
    Ok(request)
}

fn mail(from: &Mailbox, to: &Mailboxes, due: &Due, link: &str) -> Result<Message, lettre::error::Error> {
    let state = if due.event == "resolved" { "resolved" } else { due.severity.as_str() };
    let since = due.raised_at.format("%Y-%m-%d %H:%M UTC");
    to.iter()
        .fold(Message::builder().from(from.clone()), |mail, to| mail.to(to.clone()))
        .subject(format!("[upline] {state}: {}", due.subject))
        .body(format!("{}\n\nSince {since}.\n{link}\n", due.body))
}
