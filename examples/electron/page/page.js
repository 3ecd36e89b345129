// Shows what the main process says, and says what the person does. It knows nothing of seats.
const { main } = window;
const part = (id) => document.getElementById(id);
let order;
let isFirst = true;

main.onView(({ sign, cover, machine, text }) => {
  // The text is the person's from then on: a view never changes it again.
  if (isFirst) part('text').value = text;
  isFirst = false;
  part('machine').textContent = `on ${machine}`;
  document.title = `Notes on ${machine}`;
  part('sign').textContent = sign;
  const wasLocked = !part('cover').hidden;
  part('cover').hidden = cover === null;
  // Neither mouse nor keys nor screen readers reach what is inert.
  part('work').inert = cover !== null;
  if (cover !== null) showCover(cover);
  else if (wasLocked) part('text').focus();
});
main.say('ready');

function showCover({ title, text, label, order: newOrder }) {
  order = newOrder;
  part('title').textContent = title;
  part('reason').textContent = text;
  part('button').textContent = label ?? '';
  part('button').hidden = !label;
  // Not the button: a person who is typing would click it with the next blank.
  part('card').focus();
}

part('button').addEventListener('click', () => main.say(order));
part('text').addEventListener('input', () => main.say('changed', part('text').value));
