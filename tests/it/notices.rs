//! Notices reach the people: a webhook with a signature, and mail over real SMTP.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use upline::clients::http::Http;
use upline::clock::Clock;
use upline::db::Lane;
use upline::notices::{self, Channel, Notice, Sender, Severity};

use crate::support::app::{Site, TestApp};
use crate::support::browser::Browser;

const PATIENCE: Duration = Duration::from_secs(20);

/// Takes connections one by one and tells what each of them said.
fn listen(talk: fn(TcpStream) -> String) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if told.send(talk(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (port, heard)
}

/// Head and body of a request, answered with 200.
fn http(mut stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(&mut reader, &mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    format!("{head}\n{}", String::from_utf8(body).unwrap())
}

/// A mail server that takes everything.
fn smtp(mut stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream.write_all(b"220 test\r\n").unwrap();
    let mut mail = String::new();
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return mail;
        }
        mail.push_str(&line);
        let answer: &[u8] = match line.trim_end() {
            "." if in_data => {
                in_data = false;
                b"250 taken\r\n"
            }
            _ if in_data => continue,
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").unwrap();
                return mail;
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).unwrap();
    }
}

fn silent(app: &TestApp, at: &str) {
    let notice = Notice {
        key: "store-silent:main",
        severity: Severity::Alarm,
        subject: "The store main is silent",
        body: "Nothing since 06:12.",
        store: None,
    };
    app.db.transact(Lane::Admin, |tx| notices::raise(tx, &notice, at.parse().unwrap())).unwrap();
}

#[test]
fn a_notice_is_told_once_when_it_is_raised_and_once_when_it_is_over() {
    let app = TestApp::start();
    let (web, posted) = listen(http);
    let (mail, mailed) = listen(smtp);
    let settings = upline::settings::Notices {
        webhook_url: Some(format!("http://127.0.0.1:{web}/hook")),
        webhook_secret: Some("s3cret".into()),
        smtp_url: Some(format!("smtp://127.0.0.1:{mail}").into()),
        mail_from: Some("upline@example.com".into()),
        mail_to: Some("finance@example.com, Ops <ops@example.com>".into()),
    };
    let clock = Clock::fixed("2026-03-02T08:00:00Z".parse().unwrap());
    let channels = Channel::of(&settings, &Http::network(true, clock.clone())).unwrap();
    let sender = Sender::new(app.db.clone(), clock, channels, "https://upline.example/admin/notices".into());

    silent(&app, "2026-03-02T07:00:00Z");
    silent(&app, "2026-03-02T07:15:00Z");
    assert_eq!(sender.round().unwrap(), 2);
    assert_eq!(sender.round().unwrap(), 0);
    let said = posted.recv_timeout(PATIENCE).unwrap();
    let (head, body) = said.split_once("\n\n").unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((told["event"].as_str(), told["times"].as_i64()), (Some("raised"), Some(2)));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert!(head.to_lowercase().contains(&format!("x-upline-signature: {signature}")), "{head}");
    let mail = mailed.recv_timeout(PATIENCE).unwrap();
    for part in ["RCPT TO:<ops@example.com>", "RCPT TO:<finance@example.com>", "Nothing since 06:12."] {
        assert!(mail.contains(part), "{part} is not in\n{mail}");
    }
    assert!(mail.contains("Subject: [upline] alarm: The store main is silent"), "{mail}");

    let over = "2026-03-02T07:30:00Z".parse().unwrap();
    app.db.transact(Lane::Admin, |tx| notices::resolve(tx, "store-silent:main", over)).unwrap();
    assert_eq!(sender.round().unwrap(), 2);
    assert!(posted.recv_timeout(PATIENCE).unwrap().contains("\"event\":\"resolved\""));
    assert!(mailed.recv_timeout(PATIENCE).unwrap().contains("[upline] resolved: The store main"));
    assert_eq!(sender.round().unwrap(), 0);
}

#[test]
fn what_cannot_be_sent_waits_and_is_sent_later() {
    let app = TestApp::start();
    let sender_at = |now: &str, port: u16| {
        let settings = upline::settings::Notices {
            webhook_url: Some(format!("http://127.0.0.1:{port}/")),
            webhook_secret: None,
            smtp_url: None,
            mail_from: None,
            mail_to: None,
        };
        let clock = Clock::fixed(now.parse().unwrap());
        let channels = Channel::of(&settings, &Http::network(true, clock.clone())).unwrap();
        Sender::new(app.db.clone(), clock, channels, String::new())
    };
    silent(&app, "2026-03-02T07:00:00Z");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(sender_at("2026-03-02T08:00:00Z", closed).round().unwrap(), 0);
    let (open, posted) = listen(http);
    assert_eq!(sender_at("2026-03-02T08:00:30Z", open).round().unwrap(), 0);
    assert_eq!(sender_at("2026-03-02T08:02:00Z", open).round().unwrap(), 1);
    assert!(posted.recv_timeout(PATIENCE).unwrap().contains("store-silent:main"));
}

#[test]
fn notices_are_listed_on_the_page_and_on_the_terminal() {
    let app = TestApp::start();
    assert_eq!(app.run(&["notices", "list"]).ok(), "Nothing that you should know.");
    silent(&app, "2026-03-02T07:00:00Z");
    let listed = app.run(&["notices", "list"]);
    assert_eq!(listed.code, Some(3));
    assert!(listed.out.contains("The store main is silent (store-silent:main)"), "{}", listed.out);
    let page = Browser::of_admin(&app).get("/admin/notices");
    assert!(page.text.contains("The store main is silent") && page.text.contains("Nothing since 06:12."));
}

#[test]
fn channels_that_cannot_work_are_named() {
    let site = Site::new();
    let none = site.run(&["notices", "test"]);
    assert!(none.err.contains("no channel is set"), "{}", none.err);
    let config =
        site.file("upline.toml", "[notices]\nsmtp_url = \"smtp://127.0.0.1:1\"\nmail_from = \"x\"\n");
    let bad = site.run(&["--config", &config, "notices", "test"]);
    assert!(bad.err.contains("notices.mail_from"), "{}", bad.err);
}
