/* A TVM RPC server without Python: it serves one session after another, on loopback only.
 *
 * usage: server PORT KEY
 *
 * The handshake is that of tvm/rpc/server.py: RPC_MAGIC, the length of a text and the text, which is
 * `client:KEY -timeout=SECONDS` from the client and `server:KEY` back. Each session is a process in a
 * folder of its own, where the client's files go. libtvm_runtime does the rest.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tvm/ffi/c_api.h>

enum { MAGIC = 0xff271, MISMATCH = MAGIC + 2, LONGEST = 512 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static TVMFFIByteArray bytes(const char *text) { return (TVMFFIByteArray){text, strlen(text)}; }

/* A text that TVM passes: short ones are in the value itself. */
static TVMFFIByteArray text_of(const TVMFFIAny *value) {
  if (value->type_index == kTVMFFIRawStr) return bytes(value->v_c_str);
  if (value->type_index == kTVMFFISmallStr)
    return (TVMFFIByteArray){value->v_bytes, value->small_str_len};
  /* a string object is a header and a TVMFFIByteArray */
  return *(const TVMFFIByteArray *)((const char *)value->v_obj + sizeof(TVMFFIObject));
}

static int call(const char *name, TVMFFIAny argument, TVMFFIAny *result) {
  TVMFFIByteArray key = bytes(name);
  TVMFFIObjectHandle function = NULL;
  if (TVMFFIFunctionGetGlobal(&key, &function) || !function) {
    fprintf(stderr, "this TVM has no %s\n", name);
    return -1;
  }
  return TVMFFIFunctionCall(function, &argument, 1, result);
}

/* Where a file of the client's is: in the folder that the session runs in. */
static int workpath(void *self, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  TVMFFIByteArray name = text_of(arguments);
  return TVMFFIStringFromByteArray(&name, result);
}

static int load_module(void *self, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  TVMFFIByteArray name = text_of(arguments);
  char path[LONGEST]; /* with a slash, else it is looked for among the system's libraries */
  snprintf(path, sizeof path, "./%.*s", (int)name.size, name.data);
  return call("ffi.ModuleLoadFromFile",
              (TVMFFIAny){.type_index = kTVMFFIRawStr, .v_c_str = path}, result);
}

static void publish(const char *name, TVMFFISafeCallType function) {
  TVMFFIByteArray key = bytes(name);
  TVMFFIObjectHandle made;
  if (TVMFFIFunctionCreate(NULL, function, NULL, &made) ||
      TVMFFIFunctionSetGlobal(&key, made, /*allow_override=*/1))
    fail(name);
}

static int receive(int client, void *data, size_t size) {
  return recv(client, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* Whether the client has the key; and after how many seconds its session ends, 0 for never. */
static int greet(int client, const char *key, unsigned *seconds) {
  int32_t code, size;
  char given[LONGEST + 1] = "", expected[LONGEST];
  if (!receive(client, &code, sizeof code) || code != MAGIC) return 0;
  if (!receive(client, &size, sizeof size) || size < 0 || size > LONGEST) return 0;
  if (!receive(client, given, size)) return 0;
  char *options = strchr(given, ' ');
  if (options) *options++ = '\0';
  char *timeout = options ? strstr(options, "-timeout=") : NULL;
  *seconds = timeout ? strtoul(strchr(timeout, '=') + 1, NULL, 10) : 0;
  snprintf(expected, sizeof expected, "client:%s", key);
  code = strcmp(given, expected) ? MISMATCH : MAGIC;
  if (send(client, &code, sizeof code, 0) < 0 || code != MAGIC) return 0;
  size = snprintf(expected, sizeof expected, "server:%s", key);
  return send(client, &size, sizeof size, 0) > 0 && send(client, expected, size, 0) > 0;
}

static void remove_folder(const char *path) {
  DIR *folder = opendir(path);
  struct dirent *entry;
  while (folder && (entry = readdir(folder))) unlinkat(dirfd(folder), entry->d_name, 0);
  if (folder) closedir(folder);
  rmdir(path);
}

static void serve(int listener, int client, unsigned seconds) {
  const char *temporary = getenv("TMPDIR");
  char folder[LONGEST];
  snprintf(folder, sizeof folder, "%s/tvm-rpc-XXXXXX", temporary ? temporary : "/tmp");
  if (!mkdtemp(folder)) fail(folder);
  pid_t session = fork();
  if (session < 0) fail("fork");
  if (!session) {
    close(listener);
    if (chdir(folder)) fail(folder);
    alarm(seconds); /* ends an abandoned session */
    TVMFFIAny result = {0};
    _exit(call("rpc.ServerLoop", (TVMFFIAny){.type_index = kTVMFFIInt, .v_int64 = client},
               &result) != 0);
  }
  int status;
  waitpid(session, &status, 0);
  if (WIFSIGNALED(status)) fprintf(stderr, "a session ended: %s\n", strsignal(WTERMSIG(status)));
  remove_folder(folder);
}

int main(int count, char **arguments) {
  if (count != 3 || strlen(arguments[2]) > LONGEST / 2)
    return fprintf(stderr, "usage: server PORT KEY\n"), 2;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(atoi(arguments[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  publish("tvm.rpc.server.workpath", workpath);
  publish("tvm.rpc.server.load_module", load_module);
  signal(SIGPIPE, SIG_IGN); /* a client that leaves ends its session, not the server */
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
    fail(arguments[1]);
  for (;;) {
    int client = accept(listener, NULL, NULL);
    unsigned seconds;
    if (client < 0) continue;
    if (greet(client, arguments[2], &seconds)) serve(listener, client, seconds);
    close(client);
  }
}
