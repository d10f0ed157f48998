//! A simulated shop on a real port. Calls go to the platform's dialect, one at a time, as far as [`Chaos`] lets them.

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

use super::chaos::{Chaos, Fate};
use super::dialect::{Answer, Call, Dialect};
use super::post::Post;
use super::shop::Shop;

pub struct Sim {
    /// `http://127.0.0.1:PORT/`
    pub base: String,
    inner: Arc<Inner>,
    handle: ServerHandle,
    serving: Option<JoinHandle<()>>,
}

struct Inner {
    dialect: Box<dyn Dialect>,
    /// Locked first.
    shop: Mutex<Shop>,
    chaos: Mutex<Chaos>,
    post: Mutex<Post>,
    calls: AtomicUsize,
}

impl Sim {
    pub fn start(shop: Shop, dialect: Box<dyn Dialect>, seed: u64) -> Self {
        let inner = Arc::new(Inner {
            shop: Mutex::new(shop),
            chaos: Mutex::new(Chaos::new(seed)),
            post: Mutex::new(Post::default()),
            calls: AtomicUsize::new(0),
            dialect,
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/", listener.local_addr().expect("its address"));
        let (ready, started) = mpsc::channel();
        let data = Data::new(inner.clone());
        let serving = std::thread::spawn(move || serve(listener, data, &ready));
        let handle = started.recv().expect("the simulated shop starts");
        Self { base, inner, handle, serving: Some(serving) }
    }

    /// Plays the shop; what happens is told to those who subscribed.
    pub fn act<T>(&self, act: impl FnOnce(&mut Shop) -> T) -> T {
        let mut shop = self.inner.shop.lock().unwrap();
        let done = act(&mut shop);
        self.inner.tell(&shop);
        done
    }

    /// Looks at the truth.
    pub fn look<T>(&self, look: impl FnOnce(&Shop) -> T) -> T {
        look(&self.inner.shop.lock().unwrap())
    }

    pub fn chaos(&self) -> MutexGuard<'_, Chaos> {
        self.inner.chaos.lock().unwrap()
    }

    /// API calls so far, with those that went wrong.
    pub fn calls(&self) -> usize {
        self.inner.calls.load(Ordering::Relaxed)
    }

    /// Sends everything that waits to be sent, over so many connections. `app` is the address that answers for
    /// whatever host the subscriptions name.
    pub fn send(&self, app: &str, connections: usize) -> super::post::Tally {
        let waiting = self.inner.post.lock().unwrap().take();
        super::post::send(&self.inner.shop, &*self.inner.dialect, waiting, app, connections)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The command is taken by the server's own thread; there is nothing to await here.
        drop(self.handle.stop(false));
        let ended = self.serving.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the simulated shop panicked");
        }
    }
}

impl Inner {
    fn tell(&self, shop: &Shop) {
        let mut chaos = self.chaos.lock().unwrap();
        self.post.lock().unwrap().tell(shop, &*self.dialect, &mut chaos);
    }

    fn answer(&self, call: &Call) -> (Fate, Answer) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut shop = self.shop.lock().unwrap();
        let fate = {
            let mut chaos = self.chaos.lock().unwrap();
            chaos.meanwhile(&mut shop);
            chaos.fate()
        };
        self.tell(&shop);
        let answer = match fate {
            Fate::Throttled { retry_after } => {
                Answer::text(429, r#"{"errors":"slow down"}"#.to_owned()).with("retry-after", retry_after)
            }
            Fate::Failing(status) => Answer::text(status, "<html>the shop is not there</html>".to_owned()),
            Fate::Unauthorized => Answer::text(401, r#"{"message":"not allowed"}"#.to_owned()),
            Fate::Answered | Fate::Cut { .. } | Fate::Slow { .. } => self.dialect.answer(&mut shop, call),
        };
        (fate, answer)
    }
}

fn serve(listener: TcpListener, inner: Data<Arc<Inner>>, ready: &mpsc::Sender<ServerHandle>) {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            let limit = PayloadConfig::new(64 << 20);
            App::new().app_data(inner.clone()).app_data(limit).default_service(web::to(handle))
        });
        let server = server.workers(4).disable_signals().shutdown_timeout(1);
        let server = server.listen(listener).expect("listen").run();
        ready.send(server.handle()).expect("the test waits");
        server.await.expect("serve and stop in order");
    });
}

async fn handle(request: HttpRequest, body: Bytes, inner: Data<Arc<Inner>>) -> HttpResponse<Part> {
    let (fate, answer) = inner.answer(&call(&request, &body));
    if let Fate::Slow { millis } = fate {
        actix_web::rt::time::sleep(Duration::from_millis(u64::from(millis))).await;
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).expect("a status"));
    for (name, value) in &answer.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    let whole = answer.body.len();
    let shown = match fate {
        Fate::Cut { percent } => whole * usize::from(percent) / 100,
        _ => whole,
    };
    // An answer without a body cannot be cut.
    let mut body = answer.body;
    body.truncate(shown);
    response.message_body(Part { whole, left: Some(Bytes::from(body)), cut: shown < whole }).expect("headers")
}

fn call(request: &HttpRequest, body: &Bytes) -> Call {
    let uri = request.uri();
    let decode = |text: &str| url::form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
    let headers = request.headers().iter();
    let text =
        |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Call {
        method: request.method().to_string(),
        path: decoded_path(uri.path()),
        query: decode(uri.query().unwrap_or_default()),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: body.to_vec(),
        target: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
    }
}

pub fn decoded_path(path: &str) -> String {
    // These mean something in a query, and themselves in a path.
    let path = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let first = url::form_urlencoded::parse(path.as_bytes()).next();
    first.map(|(path, _)| path.into_owned()).unwrap_or_default()
}

/// A body that promises more than it gives.
struct Part {
    whole: usize,
    left: Option<Bytes>,
    cut: bool,
}

impl MessageBody for Part {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.whole).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, std::io::Error>>> {
        match self.left.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(bytes))),
            _ if self.cut => Poll::Ready(Some(Err(std::io::Error::other("cut off")))),
            _ => Poll::Ready(None),
        }
    }
}
