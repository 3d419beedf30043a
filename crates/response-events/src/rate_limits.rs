//! How much of the service's limits is used, as the service tells it.

use serde::Serialize;
use serde_json::Value;

/// One family of limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RateLimits {
    /// The family: `codex` unless the service names another.
    pub limit_id: String,
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
    /// Reads a `codex.rate_limits` event.
    pub(crate) fn from_event(event: &Value) -> Option<Self> {
        let limits = event.get("rate_limits")?.as_object()?;
        let text = |key: &str| event.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self {
            limit_id: text("metered_limit_name").or_else(|| text("limit_name")).unwrap_or("codex").to_owned(),
            plan_type: text("plan_type").map(str::to_owned),
            primary: limits.get("primary").and_then(RateLimitWindow::from_json),
            secondary: limits.get("secondary").and_then(RateLimitWindow::from_json),
            credits: event.get("credits").and_then(Credits::from_json),
        })
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
