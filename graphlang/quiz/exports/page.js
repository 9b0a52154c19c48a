// The practice page: takes what is typed, marks it by grade.js, shows hints and the worked solution, and goes on to another variant.
//
// A page that marks by itself holds its keys. They are encoded, so that nobody reads one by accident; they are no secret to who looks for them.

"use strict";

const keys = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(JSON.parse(document.getElementById("keys").textContent)), c => c.charCodeAt(0))));
const SIGN = {right: "✓ ", diagnosed: "✗ ", wrong: "✗ ", unread: "? "};

const say = (at, verdict, message) => {
  at.className = verdict;
  at.replaceChildren(...(message ? [SIGN[verdict], ...told(message)] : []));
};

// What stands between backticks is code; all of it stays text.
function told(message) {
  return message.split(/`([^`]+)`/).map((piece, k) => {
    if (k % 2 === 0) return piece;
    const code = document.createElement("code");
    code.textContent = piece;
    return code;
  });
}

// Marks are Decimals as text; their sums are shown, nothing is decided by them.
const tidy = marks => String(Math.round(marks * 1000) / 1000);

function mark(form) {
  const key = keys[form.id];
  let got = 0, most = 0, first = null;
  for (const [id, blank] of Object.entries(key.blanks)) {
    const input = document.getElementById(id), {verdict, message, credit} = judge(blank, input.value);
    say(document.getElementById(id + "-said"), verdict, message);
    input.setAttribute("aria-invalid", String(verdict !== "right"));
    got += credit * blank.marks;
    most += Number(blank.marks);
    if (verdict !== "right") first ??= input;
  }
  for (const [id, choice] of Object.entries(key.choices)) {
    const taken = form.querySelector(`input[name="${id}"]:checked`), k = taken ? Number(taken.value) : -1;
    const right = k === choice.right, verdict = right ? "right" : taken ? "diagnosed" : "unread";
    say(document.getElementById(id + "-said"), verdict, taken ? choice.messages[k] || (right ? "Right." : "Not right.") : "Choose one of these.");
    got += right ? Number(choice.marks) : 0;
    most += Number(choice.marks);
    if (!right) first ??= form.querySelector(`input[name="${id}"]`);
  }
  form.querySelector(".score").textContent = `${tidy(got)} of ${tidy(most)} marks.`;
  first?.focus();
}

function step(form, all) {
  const {steps} = keys[form.id], list = form.querySelector(".steps"), shown = list.children.length;
  for (const line of steps.slice(shown, all ? steps.length : shown + 1)) {
    const item = document.createElement("li");
    item.innerHTML = line;  // written by graphlang, which escapes what authors wrote
    list.append(item);
  }
  list.hidden = false;
  form.querySelector(".left").textContent = list.children.length < steps.length ? `Step ${list.children.length} of ${steps.length}.` : "This is the whole solution.";
  for (const what of ["hint", "solution"]) form.querySelector(`[data-do=${what}]`).disabled = list.children.length >= steps.length;
}

function another(form) {
  const all = [...form.closest("section").querySelectorAll("form")], next = all[(all.indexOf(form) + 1) % all.length];
  form.hidden = true;
  again(next);
  next.hidden = false;
  next.querySelector("h3").focus();
}

function again(form) {
  form.reset();
  for (const said of form.querySelectorAll("output")) say(said, "", "");
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  form.querySelector(".steps").replaceChildren();
  form.querySelector(".steps").hidden = true;
  form.querySelector(".score").textContent = form.querySelector(".left").textContent = "";
  for (const button of form.querySelectorAll("[data-do]")) button.disabled = false;
}

const DOES = {hint: form => step(form, false), solution: form => step(form, true), another};

document.addEventListener("submit", event => {
  event.preventDefault();
  mark(event.target);
});
document.addEventListener("click", event => {
  const button = event.target.closest("button[data-do]");
  if (button) DOES[button.dataset.do](button.form);
});
for (const buttons of document.querySelectorAll(".buttons")) buttons.hidden = false;
