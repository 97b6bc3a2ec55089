{% load static %}// Only the offline page and what it wears are kept. Pages of signed-in people are never stored: each is fetched from the server.
const CACHE = "offline-{% static 'app.css' %}";
const KEPT = ["/offline", "{% static 'app.css' %}", "{% static 'js/theme.js' %}", "{% static 'js/app.js' %}", "{% static 'fonts/inter.woff2' %}"];

self.addEventListener("install", (event) => event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting())));

self.addEventListener("activate", (event) =>
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  ),
);

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match("/offline")));
  } else if (event.request.method === "GET" && KEPT.includes(url.pathname) && url.pathname !== "/offline") {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});
