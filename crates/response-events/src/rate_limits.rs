//! How much of the service's limits is used, as the service tells it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::ApiError;

/// One family of limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// The family: `codex` unless the service names another; in lower case, with `_` between its words.
    pub limit_id: String,
    /// What the service calls the limit, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_name: Option<String>,
    /// The plan that the limits belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_type: Option<String>,
    /// The short window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<RateLimitWindow>,
    /// The long window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary: Option<RateLimitWindow>,
    /// Paid credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
}

/// One window of a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateLimitWindow {
    /// Percent used, from 0 to 100 (or above, when over the limit).
    pub used_percent: f64,
    /// The window's length, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_minutes: Option<u64>,
    /// When the window starts again, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<u64>,
}

/// Paid credits beside a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Credits {
    /// Whether there are any.
    pub has_credits: bool,
    /// Whether they have no bound.
    pub unlimited: bool,
    /// What is left, as the service writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
}

impl RateLimits {
    /// Reads the `x-codex-*` families of a response head: one for each limit, `codex` and whatever others are named
    /// (`x-NAME-primary-used-percent`). Families that say nothing are left out.
    pub fn from_headers<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Vec<Self> {
        // What is no header of a limit would only be looked at in vain.
        let is_candidate = |name: &str| name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"));
        let headers = headers.into_iter().filter(|(name, _)| is_candidate(name));
        let headers: BTreeMap<String, &str> =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect();
        let family = |name: &str| Some(name.strip_prefix("x-")?.strip_suffix("-primary-used-percent")?.to_owned());
        let mut families: BTreeSet<String> = headers.keys().filter_map(|name| family(name)).collect();
        if headers.keys().any(|name| name.starts_with("x-codex-")) {
            families.insert("codex".to_owned());
        }
        families.iter().filter_map(|family| Self::from_family(family, &headers)).collect()
    }

    fn from_family(family: &str, headers: &BTreeMap<String, &str>) -> Option<Self> {
        let get = |name: &str| headers.get(&format!("x-{family}-{name}")).copied().filter(|value| !value.is_empty());
        let window = |name: &str| {
            let used_percent =
                get(&format!("{name}-used-percent"))?.parse().ok().filter(|used: &f64| used.is_finite())?;
            let number = |part: &str| get(&format!("{name}-{part}"))?.parse().ok();
            let (window_minutes, reset_at) = (number("window-minutes"), number("reset-at"));
            // A window of zeros stands for none.
            let says_something = used_percent != 0.0 || window_minutes.is_some_and(|n| n != 0) || reset_at.is_some();
            says_something.then_some(RateLimitWindow { used_percent, window_minutes, reset_at })
        };
        let flag = |name: &str| match get(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
        let limits = Self {
            limit_id: limit_id(family),
            limit_name: get("limit-name").map(str::to_owned),
            plan_type: get("plan-type").map(str::to_owned),
            primary: window("primary"),
            secondary: window("secondary"),
            credits: flag("credits-has-credits").map(|has_credits| Credits {
                has_credits,
                unlimited: flag("credits-unlimited").unwrap_or_default(),
                balance: get("credits-balance").map(str::to_owned),
            }),
        };
        let says_something = limits.primary.is_some() || limits.secondary.is_some() || limits.credits.is_some();
        says_something.then_some(limits)
    }

    /// Reads the headers that an error event carries, as an HTTP answer would have them.
    pub(crate) fn from_error(error: &ApiError) -> Vec<Self> {
        let headers = error.details.get("headers").and_then(Value::as_object).into_iter().flatten();
        let headers: Vec<(&str, String)> =
            headers.filter_map(|(name, value)| Some((name.as_str(), header_text(value)?))).collect();
        Self::from_headers(headers.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// Reads a `codex.rate_limits` event.
    pub(crate) fn from_event(event: &Value) -> Option<Self> {
        let limits = event.get("rate_limits")?.as_object()?;
        let text = |key: &str| event.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self {
            limit_id: limit_id(text("metered_limit_name").or_else(|| text("limit_name")).unwrap_or("codex")),
            limit_name: text("limit_name").map(str::to_owned),
            plan_type: text("plan_type").map(str::to_owned),
            primary: limits.get("primary").and_then(RateLimitWindow::from_json),
            secondary: limits.get("secondary").and_then(RateLimitWindow::from_json),
            credits: event.get("credits").and_then(Credits::from_json),
        })
    }
}

/// The one id of a family, however it is written.
fn limit_id(family: &str) -> String {
    family.to_lowercase().replace(['-', ' '], "_")
}

fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(values) => values.first().and_then(header_text),
        _ => None,
    }
}

impl RateLimitWindow {
    fn from_json(window: &Value) -> Option<Self> {
        Some(Self {
            used_percent: window.get("used_percent")?.as_f64()?,
            window_minutes: window.get("window_minutes").and_then(Value::as_u64),
            reset_at: window.get("reset_at").and_then(Value::as_u64),
        })
    }
}

impl Credits {
    fn from_json(credits: &Value) -> Option<Self> {
        Some(Self {
            has_credits: credits.get("has_credits")?.as_bool()?,
            unlimited: credits.get("unlimited").and_then(Value::as_bool).unwrap_or_default(),
            balance: credits.get("balance").and_then(Value::as_str).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_limits_are_read_from_headers() {
        let headers = [
            ("X-Codex-Primary-Used-Percent", "42.5"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1700000000"),
            ("x-codex-secondary-used-percent", "0"),
            ("x-codex-secondary-window-minutes", "0"),
            ("x-codex-credits-has-credits", "1"),
            ("x-codex-credits-balance", "7.20"),
            ("x-codex-plan-type", "plus"),
            ("x-codex-other-primary-used-percent", "NaN"),
            ("x-big-model-primary-used-percent", "3"),
            ("x-request-id", "r"),
        ];
        let limits = RateLimits::from_headers(headers);
        let names: Vec<&str> = limits.iter().map(|limits| limits.limit_id.as_str()).collect();
        assert_eq!(names, ["big_model", "codex"]);
        let codex = &limits[1];
        let primary = RateLimitWindow { used_percent: 42.5, window_minutes: Some(300), reset_at: Some(1_700_000_000) };
        assert_eq!((codex.primary.as_ref(), codex.secondary.as_ref()), (Some(&primary), None));
        assert_eq!(codex.credits.as_ref().and_then(|credits| credits.balance.as_deref()), Some("7.20"));
        assert_eq!(RateLimits::from_headers([("x-request-id", "r")]), []);
    }

    #[test]
    fn a_family_has_one_id_wherever_it_is_told_of() {
        let headers =
            [("x-codex-other-primary-used-percent", "3"), ("x-codex-other-limit-name", "GPT-5.3-Codex-Spark")];
        let by_headers = RateLimits::from_headers(headers).remove(0);
        let event = |names: Value| {
            let mut event = serde_json::json!({"rate_limits": {"primary": {"used_percent": 3.0}}});
            event.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            RateLimits::from_event(&event).unwrap()
        };
        let names = serde_json::json!({"metered_limit_name": "codex_other", "limit_name": "GPT-5.3-Codex-Spark"});
        assert_eq!(by_headers, event(names));
        assert_eq!((&*by_headers.limit_id, by_headers.limit_name.as_deref()), ("codex_other", Some(headers[1].1)));
        let shown_only = event(serde_json::json!({"limit_name": "Codex-Other"}));
        assert_eq!((&*shown_only.limit_id, shown_only.limit_name.as_deref()), ("codex_other", Some("Codex-Other")));
    }
}
