// Marking on the practice page: what is typed as a number, and what that number gets. No floats: every number is a fraction of two BigInts, so that
// both sides of a bound are told apart as graphlang does it (quiz/answers.py reads the same numbers; a test holds the two together).

"use strict";

const LONGEST = 60, LARGEST_EXPONENT = 300;
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const BLANKS = new RegExp(SPACE + "+", "gu"), ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, "gu");
const SIGNS = {"−": "-", "–": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "＋": "+", "·": "*", "×": "*", "⋅": "*", "∙": "*", "٫": ".", "⁄": "/", "∕": "/", "÷": "/"};
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", PLAIN = "0123456789-+";
// By then every blank is a space.
const NAMED = /^[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_/'()[\], ]* *[=≈] *(?=[^ ])/u;
const NUMBER = /^[+-]? *(?:[0-9][0-9.,'’ ]*|[.,][0-9]+)/u;
const SCIENTIFIC = /^(?:[eE]| *[*x] *10 *(?:\^|\*\*) *) *\(? *([+-]?[0-9]+) *\)?$/u;
const POWER = /^([+-]?) *10 *(?:\^|\*\*) *\(? *([+-]?[0-9]+) *\)?$/u;
const GROUPS = /^[0-9]{1,3}(?:([.,'’ ])[0-9]{3})(?:\1[0-9]{3})*$/u;
const DIGITS = /^[0-9]+$/u;

const none = reason => ({value: null, reason});
const some = (above, below, decimals) => ({value: {above, below}, reason: "", decimals});
const trim = text => text.replace(ENDS, "");
const translated = text => Array.from(text, c => SIGNS[c] ?? c).join("");

// What is typed: `value` is a fraction, or null, and then `reason` says why. `decimals`: how many digits stand behind the decimal sign.
function read(text, fraction = false) {
  const words = cleaned(text);
  if (!words) return none("no answer is given");
  const length = Array.from(words).length;
  if (length > LONGEST) return none(`a number is wanted, and this has ${length} characters`);
  if (["nan", "inf", "infinity", "∞"].includes(words.toLowerCase().replace(/^[+-]+/u, ""))) return none("a finite number is wanted");
  if (words.endsWith("%")) return none("a number is wanted, not a percentage: 50% is written 0.5");
  if (words.includes("/")) return fraction ? quotient(words) : none("a decimal number is wanted here, not a fraction");
  return number(words);
}

function cleaned(text) {
  text = translated(text).replace(new RegExp(`[${RAISED}]+`, "gu"), run => "^" + Array.from(run, c => PLAIN[RAISED.indexOf(c)]).join(""));
  text = translated(text.normalize("NFKC"));
  text = trim(trim(text.replace(BLANKS, " ")).replace(/^\$+|\$+$/gu, ""));
  return trim(NAMED.test(text) ? text.replace(NAMED, "") : text.replace(/^[=≈ ]+/u, ""));
}

function number(words) {
  const power = POWER.exec(words);
  if (power) return scaled(power[1] === "-" ? -1n : 1n, 0, power[2]);
  const m = NUMBER.exec(words);
  if (!m) return none(`\`${words}\` is not a number`);
  const rest = words.slice(m[0].length), exponent = trim(rest) ? SCIENTIFIC.exec(rest) : null;
  if (trim(rest) && !exponent)
    return none(/^[\p{L}\p{Nl}\p{No}_]+$/u.test(trim(rest)) ? `a number alone is wanted, without \`${trim(rest)}\`` : `\`${words}\` is not a number`);
  const [digits, decimals, reason] = pointed(trim(m[0]));
  return digits === null ? none(reason) : scaled(digits, decimals, exponent ? exponent[1] : "0");
}

// digits · 10^(exponent − decimals)
function scaled(digits, decimals, exponent) {
  const power = BigInt(exponent);
  if (power > LARGEST_EXPONENT || power < -LARGEST_EXPONENT) return none("the exponent is too large");
  return shifted(digits, BigInt(decimals) - power);
}

const shifted = (digits, decimals) => decimals > 0n ? some(digits, 10n ** decimals, decimals) : some(digits * 10n ** -decimals, 1n, decimals);

// Digits without their point and without what parts thousands, and how many are decimals; or null and a reason.
function pointed(text) {
  const negative = text.startsWith("-"), body = trim(text.replace(/^[+\- ]+/u, ""));
  const count = c => body.split(c).length - 1, points = count("."), commas = count(",");
  const others = Array.from("'’ ").filter(c => body.includes(c)), wrong = [null, 0, `\`${text}\` is not a number`];
  let whole = body, part = "";
  const cut = (sign, last) => {
    const at = last ? body.lastIndexOf(sign) : body.indexOf(sign);
    if (at >= 0) [whole, part] = [body.slice(0, at), body.slice(at + 1)];
  };
  if (others.length > 1) return wrong;
  if (points && commas) {  // the one that comes last is the decimal sign
    const decimal = body.lastIndexOf(".") > body.lastIndexOf(",") ? "." : ",";
    cut(decimal, true);
    if (whole.includes(decimal) || others.length || !grouped(whole)) return wrong;
  } else if (others.length) {
    cut(points ? "." : ",", false);
    if (points + commas > 1 || !grouped(whole)) return wrong;
  } else if (points > 1 || commas > 1) {
    if (!grouped(whole)) return wrong;
  } else if (commas) {
    cut(",", false);
    if (part.length === 3 && /^[1-9][0-9]{0,2}$/u.test(whole)) return [null, 0, `\`${text}\` can be read as ${whole}${part} or as ${whole}.${part}: write one of these`];
  } else cut(".", false);
  whole = whole.replace(/[^0-9]/gu, "");
  if (!(whole || part) || !(part === "" || DIGITS.test(part))) return wrong;
  const digits = BigInt((whole || "0") + part);
  return [negative ? -digits : digits, part.length, ""];
}

const grouped = whole => GROUPS.test(whole) || DIGITS.test(whole);

function quotient(words) {
  const at = words.indexOf("/"), above = trim(words.slice(0, at)), below = trim(words.slice(at + 1));
  const a = above ? number(above) : none(""), b = below ? number(below) : none("");
  if (!a.value || !b.value) return none(a.reason || b.reason || `\`${words}\` is not a number`);
  if (b.value.above === 0n) return none("a finite number is wanted");
  const flip = b.value.above < 0n ? -1n : 1n;
  return some(a.value.above * b.value.below * flip, a.value.below * b.value.above * flip, 0n);
}

// A number as Python prints a Decimal: -12.50, 1E-7.
function decimal(text) {
  const [digits, exponent = "0"] = text.split("E"), [whole, part = ""] = digits.split(".");
  return shifted(BigInt(whole + part), BigInt(part.length) - BigInt(exponent)).value;
}

const sign = (a, b) => {
  const left = a.above * b.below, right = b.above * a.below;
  return left < right ? -1 : left > right ? 1 : 0;
};

// An interval is [low, high, low belongs to it, high belongs to it].
function holds([low, high, first, last], value) {
  const under = sign(value, decimal(low)), over = sign(value, decimal(high));
  return (under > 0 || first && under === 0) && (over < 0 || last && over === 0);
}

// What a text gets for a blank: "unread" with a reason, "right", "diagnosed" with a message, "wrong". `credit`: part of the marks.
function judge(blank, text) {
  const {value, reason, decimals} = read(text, blank.fraction);
  if (!value) return {verdict: "unread", message: `${reason[0].toUpperCase()}${reason.slice(1)}.`, credit: "0"};
  if (holds(blank.accepted, value)) return {verdict: "right", message: "Right.", credit: "1"};
  const found = blank.wrong.find(w => holds(w.accepted, value));
  if (found) return {verdict: "diagnosed", message: found.message, credit: found.credit};
  return {verdict: "wrong", message: coarse(blank, value, decimals) ? `Close, and not exact enough: the answer is asked for ${blank.how}.` : "Not right.", credit: "0"};
}

// Whether a number is the key, given with too few decimals: it is half a unit of its last digit, or less, from the middle of what is accepted.
function coarse(blank, value, decimals) {
  if (blank.decimals === null || decimals >= BigInt(blank.decimals)) return false;
  const low = decimal(blank.accepted[0]), high = decimal(blank.accepted[1]), unit = shifted(1n, decimals).value;
  const off = value.above * 2n * low.below * high.below - (low.above * high.below + high.above * low.below) * value.below;  // over 2·below of all three
  return (off < 0n ? -off : off) * unit.below <= unit.above * value.below * low.below * high.below;
}

if (typeof module !== "undefined") module.exports = {read, judge};
