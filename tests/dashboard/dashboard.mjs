// Drives the dashboard at argv[2] in Chromium: argv[3] is the admin's key, argv[4] a tenant's, argv[5] a folder for pictures (optional).
// Prints a line for every step that held; what fails throws and ends the process.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [address, adminKey, tenantKey, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 2"> How many zebras are 40 and 2?';
const step = text => console.log(`ok ${text}`);
const faults = [];

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' });
const page = await context.newPage();
page.setDefaultTimeout(20000);
page.on('dialog', dialog => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
page.on('pageerror', error => faults.push(`page: ${error.message}`));
page.on('request', request => { if (!request.url().startsWith(address)) faults.push(`elsewhere: ${request.url()}`); });
// the browser itself notes the status of the sign-in page
page.on('console', message => { if (message.type() === 'error' && !message.text().includes('401')) faults.push(`console: ${message.text()}`); });

const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());
async function tabTo(wanted) {
  for (let i = 0; i < 200; i++) {
    if (await focused() === wanted) return;
    await press('Tab');
  }
  throw new Error(`Tab never reaches ${wanted}`);
}

// in both colour schemes, on a desk and in a hand: nothing hangs over, nothing bars anybody
async function look(name) {
  for (const [device, width, height] of [['desktop', 1280, 900], ['phone', 360, 740]]) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (pictures) await page.screenshot({ path: join(pictures, `${name}-${device}-${colorScheme}.png`), fullPage: true });
      if (over !== 0) faults.push(`${name} hangs over by ${over} px at ${width} px`);
      // every width and scheme once, not each with each: it takes its time
      if ((device === 'desktop') !== (colorScheme === 'light')) continue;
      await page.evaluate(axe);
      const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      faults.push(...found.violations.map(v => `${name} ${device} ${colorScheme}: ${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' | ').slice(0, 400)}`));
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
  step(`look ${name}`);
}

await page.goto(address);
assert.match(await page.title(), /Sign in/);
await look('sign-in');
await tabTo('key');
await page.keyboard.type('sk-wrong');
await press('Enter');
await page.getByRole('alert').filter({ hasText: 'not the admin key' }).waitFor();
await tabTo('key');
await page.keyboard.type(adminKey);
await press('Enter');
await page.locator('.headline').waitFor();
const cookies = await context.cookies();
assert.ok(cookies.every(c => c.httpOnly && c.sameSite === 'Strict'), JSON.stringify(cookies));
step('signed in by keyboard');

await page.locator('#connection[data-state=live]').waitFor();
await page.evaluate(() => { window.here = true; });
const rows = await page.locator('#requests tbody tr').count();
const reply = await fetch(`${address}/v1/chat/completions`, {
  method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${tenantKey}` },
  // asked for by name: no lot makes it a control
  body: JSON.stringify({ model: 'speedup/best-of-n/auto/m', messages: [{ role: 'user', content: hostile }] }),
});
assert.equal(reply.status, 200);
await page.locator('#requests tbody tr.new').first().waitFor();
assert.ok(await page.locator('#requests tbody tr').count() >= Math.min(50, rows + 1));
assert.equal(await page.evaluate(() => window.here), true, 'the page was loaded anew');
assert.ok(!(await page.locator('#requests').textContent()).includes('zebras'), 'a question is shown that nobody opened');
step('request arrived live');

// more of the desk's day, for something to look at
for (let i = 0; i < 12; i++) {
  await fetch(`${address}/v1/chat/completions`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${tenantKey}` },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: `Tariff 1: what do ${2 + i % 4} parcels cost at 3 each?` }] }),
  });
}
await page.locator('#requests tbody tr').nth(12).waitFor();
if (pictures) {
  await page.setViewportSize({ width: 1280, height: 1010 });
  await page.screenshot({ path: join(pictures, 'dashboard.png') });
}
await look('overview');
await page.evaluate(() => document.querySelector('details').open = true);
await look('overview-table');

// the keyboard reaches everything, and skips what it wants to skip
await page.goto(address);
await press('Tab');
assert.equal(await focused(), 'Skip to the content');
await press('Enter', 'Tab');
assert.equal(await focused(), 'mode-off');
const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
assert.notEqual(outline, 'none', 'focus is not seen');
step('skip link and focus');

await page.goto(address);
await tabTo('Memory');
await press('Enter');
await page.getByRole('heading', { name: 'Memory' }).waitFor();
await look('memory');
await tabTo('q');
await page.keyboard.type('zebras FORTY two');
await press('Enter');
await page.getByText('Nothing that is remembered fits.').waitFor();
await page.locator('#q').fill('ZEBRAS');
let found = page.locator('.episodes tbody tr');
for (let i = 0; i < 50; i++) {
  // learning comes after the answer
  await page.locator('#q').press('Enter');
  await page.waitForLoadState();
  if (await found.count() === 1) break;
  await page.waitForTimeout(200);
}
assert.equal(await found.count(), 1);
await found.getByRole('link').focus();
await press('Enter');
await page.getByRole('heading', { name: 'Episode' }).waitFor();
assert.equal(await page.locator('.said').first().textContent(), hostile);
assert.equal(await page.evaluate(() => window.pwned), undefined);
await look('episode');
step('searched and opened; hostile text is text');

await page.getByRole('button', { name: 'Mark as right' }).press('Enter');
await page.getByText('Marked as right.').waitFor();
assert.equal(await page.locator('.facts .state').textContent(), 'right');
step('marked');
await page.locator('summary', { hasText: 'Correct' }).press('Enter');
await look('correction');
await press('Tab');
assert.equal(await focused(), 'answer');
await page.keyboard.type('40 zebras and 2 zebras are 43 zebras.');
await press('Enter');
await page.keyboard.type('Answer: 43');
await page.getByRole('button', { name: 'Remember it instead' }).press('Enter');
await page.getByText('Corrected: what you wrote is remembered').waitFor();
assert.equal(await page.locator('.said').nth(1).textContent(), '40 zebras and 2 zebras are 43 zebras.\nAnswer: 43');
step('corrected');
await page.locator('summary', { hasText: 'Forget' }).press('Enter');
await page.getByRole('button', { name: 'Forget it' }).press('Enter');
await page.getByText('Forgotten, with all that was made from it.').waitFor();
await page.goto(`${address}/dashboard/memory?q=zebras`);
await page.getByText('Nothing that is remembered fits.').waitFor();
step('forgotten');

await page.goto(address);
await tabTo('mode-off');
await press('Enter');
await page.locator('#mode-off[aria-pressed=true]').waitFor();
const mode = await (await fetch(`${address}/v1/speedup/mode`, { headers: { Authorization: `Bearer ${adminKey}` } })).json();
assert.equal(mode.mode, 'off');
step('switched off');
// what somebody else switches shows here without a reload
await page.locator('#connection[data-state=live]').waitFor();
await fetch(`${address}/v1/speedup/mode`, { method: 'PUT', headers: { Authorization: `Bearer ${adminKey}`, 'Content-Type': 'application/json' }, body: '{"mode":"on"}' });
await page.locator('#mode-on[aria-pressed=true]').waitFor();
step('switched elsewhere');

await page.getByRole('button', { name: 'Sign out' }).press('Enter');
await page.locator('#key').waitFor();
await context.addCookies(cookies);
await page.goto(address);
assert.match(await page.title(), /Sign in/, 'a session outlives signing out');
step('signed out');
assert.deepEqual(faults, []);
step('no faults');
await browser.close();
