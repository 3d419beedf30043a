"""One streamed request by openai-python, told line by line as JSON: what a caller of it sees."""

import json
import sys

import openai

base_url, wire, until = sys.argv[1:]


def tell(*words):
    print(json.dumps(words), flush=True)


def text(piece):
    tell("text", piece)
    return until == "text"


def responses(client):
    known = {"response.created", "response.output_item.added", "response.content_part.added",
             "response.output_item.done"}
    with client.responses.create(model="demo", input="Say hello", stream=True) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                if text(event.delta):
                    break
            elif event.type in ("response.completed", "response.failed", "error"):
                tell("terminal", event.type)
            elif event.type not in known:
                tell("unknown")


def chat(client):
    messages = [{"role": "user", "content": "Say hello"}]
    with client.chat.completions.create(model="demo", messages=messages, stream=True) as chunks:
        for chunk in chunks:
            for choice in chunk.choices:
                if choice.delta.content and text(choice.delta.content):
                    return


client = openai.OpenAI(api_key="key", base_url=base_url)
try:
    (chat if wire == "chat" else responses)(client)
except Exception as error:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    code = getattr(error, "code", None)
    shown = message or str(error)
    tell("error", f"[{code}] {shown}" if code else f"{type(error).__name__}: {shown}")
if until == "text":
    tell("closed")
    sys.stdin.read()
tell("ended")
