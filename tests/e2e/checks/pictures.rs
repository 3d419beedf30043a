//! Pages with pictures of turns, as a browser shows them.

use serde_json::{Value, json};

use super::{Check, check};
use crate::pages::{self, Page};
use crate::peers::{Browser, Scheme};

/// Largest page, in bytes, whatever passed.
const LARGEST: usize = 500_000;

pub(super) fn checks() -> Vec<Check<Browser>> {
    let mut checks = vec![check("a script and a request would be noticed", would_be_noticed)];
    for page in pages::all() {
        checks.push(check(format!("{}: silent, and what passed is on it", page.name), move |on| shown(on, page)));
    }
    for page in pages::all() {
        checks.push(check(format!("{}: in light, dark, and narrow", page.name), move |on| fits(on, page)));
    }
    checks
}

/// Without this, a browser that tells nothing would pass every other check.
async fn would_be_noticed(browser: Browser) {
    let page = "<!DOCTYPE html><script>console.error('noticed')</script><img src=\"http://127.0.0.1:9/noticed\">";
    let seen = browser.open("noticed", page).await;
    assert!(seen.console.iter().any(|line| line.contains("noticed")), "{seen:?}");
    assert!(seen.requests.iter().any(|address| address.ends_with("/noticed")), "{seen:?}");
}

async fn shown(browser: Browser, page: Page) {
    assert!(page.html.len() < LARGEST, "{} bytes", page.html.len());
    let seen = browser.open(page.name, &page.html).await;
    assert_eq!((seen.console, seen.requests), (Vec::<String>::new(), Vec::<String>::new()));
    let measured = measured(&browser, &page, "shown").await;
    let expected = &page.expected;
    let headline = measured["headline"].as_str().unwrap_or_default();
    // The rest of a message is of no interest here.
    assert!(headline.starts_with(&expected.headline), "{headline}");
    for (what, value) in [
        ("events", json!(expected.events)),
        ("figures", json!(expected.attempts)),
        ("gaps", json!(expected.gaps)),
        ("void", json!(expected.void)),
        ("headings", json!(1)),
        ("scripts", json!(0)),
    ] {
        assert_eq!(measured[what], value, "{what} in {measured}");
    }
    assert_eq!(measured["title"], measured["headline"]);
    let sizes = measured["sizes"].as_array().expect("sizes of the figures");
    for size in sizes {
        let (width, height) = (size[0].as_f64().unwrap_or_default(), size[1].as_f64().unwrap_or_default());
        assert!(width > 300.0 && height > 40.0, "{measured}");
    }
}

async fn fits(browser: Browser, page: Page) {
    for (name, size, scheme) in [
        ("light", (1100, 1500), Scheme::Light),
        ("dark", (1100, 1500), Scheme::Dark),
        ("narrow", (500, 1700), Scheme::Light),
    ] {
        let name = format!("{}-{name}", page.name);
        assert_eq!(browser.picture(&name, &page.html, size, scheme).await, size, "{name}");
    }
    let measured = measured(&browser, &page, "narrow").await;
    assert_eq!(measured["overflow"], 0, "{measured}");
}

/// What a script finds on a copy of the page that allows it one.
async fn measured(browser: &Browser, page: &Page, name: &str) -> Value {
    let policy = "default-src 'none'; ";
    assert!(page.html.contains(policy), "the page forbids what it does not need");
    let html = page.html.replacen(policy, "script-src 'unsafe-inline'; ", 1);
    let html = html.replacen("</body>", &format!("<script>{MEASURE}</script></body>"), 1);
    let seen = browser.open(&format!("{}-{name}-measured", page.name), &html).await;
    let (_, rest) = seen.document.split_once("<pre id=\"measured\">").expect("the script ran");
    let json = rest.split("</pre>").next().unwrap_or_default();
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&json).expect("the script wrote JSON")
}

/// Writes what is there as JSON into the document.
const MEASURE: &str = "
const all = selector => [...document.querySelectorAll(selector)];
const size = element => { const box = element.getBoundingClientRect(); return [box.width, box.height]; };
const tile = name => all('.tiles div').find(div => div.firstChild.textContent === name)?.lastChild.textContent;
const found = {
  title: document.title,
  headline: all('h1')[0].textContent,
  headings: all('h1').length,
  events: tile('events'),
  figures: all('figure svg').length,
  gaps: all('figure .gap').length,
  void: all('figure .hatch').length,
  scripts: all('script').length - 1,
  sizes: all('figure svg').map(size),
  overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
};
const pre = document.createElement('pre');
pre.id = 'measured';
pre.textContent = JSON.stringify(found);
document.body.append(pre);
";
