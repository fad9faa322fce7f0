// Goes before textual.js, which makes the terminal when the page is loaded: it looks at the elements as they are then.
"use strict";

const socketAddress = new URL("ws", location.href);
socketAddress.protocol = location.protocol.replace("http", "ws");
socketAddress.search = "";
document.getElementById("terminal").dataset.sessionWebsocketUrl = socketAddress.href;
document.getElementById("again").addEventListener("click", () => location.reload());

// A key that closes the tab (Ctrl+W deletes a word elsewhere) would end a run: the browser asks first.
const askBeforeLeaving = (event) => event.preventDefault();

const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...given) {
    super(...given);
    this.addEventListener("open", () => {
      window.addEventListener("beforeunload", askBeforeLeaving);
      document.querySelector("#terminal textarea").focus(); // keys go to the app without a click
    });
    this.addEventListener("close", () => window.removeEventListener("beforeunload", askBeforeLeaving));
    this.addEventListener("message", (event) => {
      if (typeof event.data !== "string") return;
      const [kind, words] = JSON.parse(event.data);
      if (kind === "last_words") document.getElementById("last-words").textContent = words;
    });
  }
};

// Ctrl+V and Cmd+V are the browser's: it pastes what another program copied. The terminal would send a control character.
window.addEventListener(
  "keydown",
  (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "v") event.stopImmediatePropagation();
  },
  true,
);
