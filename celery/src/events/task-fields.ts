import type { EventFields } from "../protocol/event.ts";
import type { TaskHeaders } from "../protocol/message.ts";

/** Everything that the headers say about a task: what `task-received` tells. */
export function taskReceivedFields(headers: TaskHeaders): EventFields<"task-received"> {
  return {
    uuid: headers.id,
    name: headers.task,
    args: headers.argsRepr,
    kwargs: headers.kwargsRepr,
    root_id: headers.rootId,
    parent_id: headers.parentId,
    retries: headers.retries,
    eta: headers.eta,
    expires: headers.expires,
  };
}

/** What a client tells of a message that it put into `queue`. @see celery 5.7.0 app/amqp.py, `send_task_message` */
export function taskSentFields(headers: TaskHeaders, queue: string): EventFields<"task-sent"> {
  return { ...taskReceivedFields(headers), queue, exchange: "", routing_key: queue };
}
