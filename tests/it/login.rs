//! Signing in and out over real HTTP, and what does not open a door.

use super::support::app::{Answer, TestApp};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn session(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

fn path_of(link: &str, app: &TestApp) -> String {
    link.strip_prefix(&app.base).expect("a link to this server").to_owned()
}

fn csrf(app: &TestApp) -> String {
    use diesel::{QueryableByName, RunQueryDsl, sql_query};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        csrf: String,
    }
    let newest = "select csrf from sessions order by created_at desc limit 1";
    app.db.read(upline::db::Lane::Admin, |conn| Ok(sql_query(newest).get_result::<Row>(conn)?)).unwrap().csrf
}

#[test]
fn a_link_signs_in_once() {
    let app = TestApp::start();
    let link = path_of(&app.login_link, &app);
    let first = app.get(&link, &[]);
    assert_eq!((first.status, first.header("location")), (303, Some("/admin")));
    let cookie = first.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("upline_session=")
            && cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
    );
    assert!(!cookie.contains("Secure"), "there is no TLS here");
    let again = app.get(&link, &[]);
    assert_eq!(again.status, 401);
    assert!(again.header("set-cookie").is_none());
}

#[test]
fn behind_tls_the_cookie_never_goes_without_it() {
    let app =
        TestApp::start_with(|settings| settings.public_url = Some("https://pay.example.com".to_owned()));
    let link = app.login_link.strip_prefix("https://pay.example.com").expect("the public address").to_owned();
    let cookie = app.get(&link, &[]).header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-upline_session=") && cookie.contains("Secure"), "{cookie}");
    assert!(app.get("/livez", &[]).header("strict-transport-security").is_some());
}

#[test]
fn a_password_can_be_set_and_used_and_a_session_ended() {
    let app = TestApp::start();
    let cookie = session(&app.get(&path_of(&app.login_link, &app), &[]));
    let with = [("Cookie", cookie.as_str()), FORM];
    let token = csrf(&app);
    let short = app.post("/account/password", &with, format!("csrf={token}&password=short"));
    assert_eq!(short.status, 422, "{}", short.text());
    let set = app.post("/account/password", &with, format!("csrf={token}&password=correct+horse+battery"));
    assert_eq!(set.status, 303, "{}", set.text());
    // Changing it takes the one that is.
    let change =
        app.post("/account/password", &with, format!("csrf={token}&password=another+long+one&current=wrong"));
    assert_eq!(change.status, 422);

    let wrong = app.post("/login", &[FORM], "email=admin%40localhost&password=wrong");
    assert_eq!(wrong.status, 401);
    let right = "email=Admin%40localhost&password=correct+horse+battery&next=%2Fadmin%2Forders";
    let signed_in = app.post("/login", &[FORM], right);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/admin/orders")));
    let elsewhere =
        app.post("/login", &[FORM], format!("{}%2Fevil.example", right.replace("%2Fadmin%2Forders", "%2F")));
    assert_eq!(elsewhere.header("location"), Some("/admin"), "never to another host");

    let cookie = session(&signed_in);
    let with = [("Cookie", cookie.as_str()), FORM];
    assert_eq!(app.get("/login", &with).status, 303, "signed in already");
    assert_eq!(app.post("/logout", &with, "csrf=nonsense").status, 403);
    let token = app.db.read(upline::db::Lane::Admin, |conn| {
        let secret = cookie.split_once('=').unwrap().1;
        Ok(upline::access::find_session(conn, secret, upline::clock::Clock::system().now())?.unwrap().csrf)
    });
    let out = app.post("/logout", &with, format!("csrf={}", token.unwrap()));
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert_eq!(app.get("/login", &with).status, 200, "signed out");
}

#[test]
fn a_form_from_elsewhere_is_refused() {
    let app = TestApp::start();
    let cookie = session(&app.get(&path_of(&app.login_link, &app), &[]));
    let body = format!("csrf={}", csrf(&app));
    for sign in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let refused = app.post("/logout", &[("Cookie", &cookie), FORM, sign], &body);
        assert_eq!((refused.status, refused.code().as_str()), (403, "foreign_form"), "{sign:?}");
    }
    let login = app.post("/login", &[FORM, ("Sec-Fetch-Site", "cross-site")], "email=a%40b&password=x");
    assert_eq!(login.status, 403);
    assert_eq!(
        app.post("/logout", &[FORM], &body).status,
        303,
        "without a session there is nothing to do but sign in"
    );
    let ours = app.base.clone();
    let own = app.post("/logout", &[("Cookie", &cookie), FORM, ("Origin", &ours)], &body);
    assert_eq!((own.status, own.header("location")), (303, Some("/login")));
}

#[test]
fn guessing_gets_slower_and_then_has_to_wait() {
    let app = TestApp::start();
    let guess = |email: &str| app.post("/login", &[FORM], format!("email={email}&password=guess")).status;
    let statuses: Vec<u16> = (0..8).map(|_| guess("admin%40localhost")).collect();
    assert_eq!(statuses[..5], [401; 5]);
    assert!(statuses[5..].contains(&429), "{statuses:?}");
}

#[test]
fn a_disabled_user_is_signed_out() {
    let app = TestApp::start();
    let link = app.run(&["user", "add", "ann@example.com", "--role", "viewer", "--json"]).json();
    let token = link["login_url"].as_str().unwrap().split_once("token=").unwrap().1.to_owned();
    let cookie = session(&app.get(&format!("/login/once?token={token}"), &[]));
    let with = [("Cookie", cookie.as_str())];
    assert_eq!(app.get("/login", &with).status, 303);
    app.run(&["user", "disable", "ann@example.com"]).ok();
    assert_eq!(app.get("/login", &with).status, 200);
}
