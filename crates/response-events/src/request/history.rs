//! What of earlier Chat answers goes back.

/// What of earlier answers goes back to a Chat service beside their text and their calls.
///
/// Services add members to the answers of this API, and differ in what they want of them in the next request.
/// DeepSeek refuses a conversation with calls whose `reasoning_content` is missing, and ignores it elsewhere; Gemini
/// refuses calls without their `extra_content`; OpenRouter and Mistral take reasoning up where it is sent. Others
/// refuse each member that the API does not define (Groq and Cerebras a `reasoning_content`, DeepSeek's first reasoning
/// model its own), and so may any service that is asked to go on with the answers of another one.
///
/// Reasoning of the Responses API, which an item shows by having no member `chat`, is never sent on the Chat wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChatHistory {
    /// Everything that came, where it came: reasoning in its own field with its details, `extra_content` of calls and
    /// messages. The default, since several services refuse a conversation that lacks what they sent.
    #[default]
    AsReceived,
    /// Only what the API itself defines: no reasoning, no `reasoning_details`, no `extra_content`. For services that
    /// refuse the rest, and for a conversation that began with another service.
    Standard,
}
