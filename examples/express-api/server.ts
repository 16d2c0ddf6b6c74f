import { makeApi } from "./api.ts";

const port = Number(process.env.PORT ?? 8000);
const server = makeApi().listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  const address = server.address();
  console.log(`API ready on http://127.0.0.1:${typeof address === "object" ? address?.port : port}`);
});
