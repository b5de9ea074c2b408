/** What is said where: everybody's words, and who is there, have topics of their own. */

const SAYS = 'demo/chat/';
const HERE = 'demo/here/';

/** What is subscribed to at first: everybody's words, and who is there. */
export const FILTERS = [`${SAYS}+`, `${HERE}+`];
export const BURST_TOPIC = 'demo/burst';

/** What a name must be, to be one level of a topic. */
export const NAME_PATTERN = '[^+#\\/]+';
export const LONGEST_NAME = 24;

/** Where this one speaks. @param {string} name */
export const speechTopic = (name) => `${SAYS}${name}`;
/** Where it is said, and retained by the broker, who this client is; nothing: it is not there. @param {string} id */
export const presenceTopic = (id) => `${HERE}${id}`;

/** What is behind the prefix, if that is all there is. @param {string} topic @param {string} prefix */
const levelBehind = (topic, prefix) =>
  topic.startsWith(prefix) && !topic.includes('/', prefix.length)
    ? topic.slice(prefix.length)
    : undefined;

/** Whose words a topic has. @param {string} topic */
export const speakerOf = (topic) => levelBehind(topic, SAYS);
/** Whose presence a topic tells. @param {string} topic */
export const presentOf = (topic) => levelBehind(topic, HERE);
