//! What the model can call: two functions, whose arguments are JSON, and a custom tool, whose input is any text.

use std::error::Error;

use serde_json::{Value, json};

/// The tools, in the form of the Responses API. (In Chat's a function stands under `function`, a custom tool under
/// `custom`.)
pub(crate) fn definitions() -> Vec<Value> {
    let cities = |names: &[&str]| {
        let properties: serde_json::Map<_, _> =
            names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
    };
    vec![
        json!({"type": "function", "name": "population", "description": "How many people live in a city.",
            "parameters": cities(&["city"])}),
        json!({"type": "function", "name": "distance", "description": "How far two cities are apart, in km.",
            "parameters": cities(&["from", "to"])}),
        json!({"type": "custom", "name": "calc", "description": "Adds whole numbers, as in `1 + 2 + 3`."}),
    ]
}

/// Does what a call asks for. The model reads an error as it reads an output, and may do better then.
pub(crate) async fn run(name: &str, arguments: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    let text = |field: &str| -> Result<String, Box<dyn Error + Send + Sync>> {
        let arguments: Value = serde_json::from_str(arguments)?;
        Ok(arguments[field].as_str().ok_or_else(|| format!("{field:?} is missing"))?.to_owned())
    };
    match name {
        "population" => population(&text("city")?).await,
        "distance" => distance(&text("from")?, &text("to")?).await,
        "calc" => {
            let numbers: Vec<i64> = arguments.split('+').map(|part| part.trim().parse()).collect::<Result<_, _>>()?;
            let sum = numbers.into_iter().try_fold(0_i64, i64::checked_add).ok_or("too large")?;
            Ok(sum.to_string())
        }
        unknown => Err(format!("there is no tool {unknown:?}").into()),
    }
}

/// Stands for a look-up that takes time.
async fn population(city: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    tokio::task::yield_now().await;
    match city {
        "Oslo" => Ok("717710".to_owned()),
        "Bergen" => Ok("291940".to_owned()),
        _ => Err(format!("nothing is known of {city:?}").into()),
    }
}

/// Stands for another.
async fn distance(from: &str, to: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    tokio::task::yield_now().await;
    match (from, to) {
        ("Oslo", "Bergen") | ("Bergen", "Oslo") => Ok("305".to_owned()),
        _ => Err(format!("nothing is known of the way from {from:?} to {to:?}").into()),
    }
}
