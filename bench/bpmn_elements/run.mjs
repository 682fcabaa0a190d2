// bpmn-elements' side of the measurements: definition parsed and serialised once, instances kept in memory.
//
//     node run.mjs WORKLOAD INSTANCES < model.bpmn
//
// Prints the CPU time that the instances took, in seconds, and how many elements completed in one of them.
import * as elements from "bpmn-elements";
import { BpmnModdle } from "bpmn-moddle";
import { Serializer, TypeResolver } from "moddle-context-serializer";
import { text } from "node:stream/consumers";

const [, , workload, count] = process.argv;
const instances = Number(count);
const source = await text(process.stdin);
const read = await new BpmnModdle().fromXML(source);
const serialized = Serializer(read, TypeResolver(elements));

const scripts = {
  // The only script of the models is a condition, handed over as what it says.
  register() {},
  getScript() {},
};
const expressions = {
  resolveExpression(expression, scope) {
    return expression === "amount > 1000" ? scope.environment.variables.amount > 1000 : expression;
  },
};

function instance(onDone) {
  const environment = { scripts, expressions, variables: { amount: 5000 } };
  const definition = new elements.Definition(new elements.Context(serialized, new elements.Environment(environment)));
  let completed = 0;
  const waiting = [];
  definition.broker.subscribeTmp("event", "activity.#", (key, message) => {
    if (key === "activity.end") completed += 1;
    if (key === "activity.wait") waiting.push(message.content);
  }, { noAck: true });
  definition.broker.subscribeOnce("event", "definition.leave", () => onDone(completed));
  definition.run();
  while (waiting.length) definition.signal(waiting.shift());
}

function run() {
  let done = -1;
  instance((completed) => (done = completed));
  if (done < 0) throw new Error(`${workload} did not come to its end`);
  return done;
}

const completed = run();
for (let warm = 0; warm < Math.max(3, instances / 20); warm += 1) run();
const before = process.cpuUsage();
for (let number = 0; number < instances; number += 1) run();
const spent = process.cpuUsage(before);
console.log(JSON.stringify({ cpu: (spent.user + spent.system) / 1e6, completed }));
