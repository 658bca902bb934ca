/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP over the agent's UNIX socket, with libcurl. What answers is trusted to be honest no further than its size and
 * its form: a socket may not be the agent's. */
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/strbuf.h>

#include "control.h"
#include "output.h"

#define ANSWER_SIZE_MAX (64u << 20)
#define TIMEOUT_S 30L

static void curl_cleanupp(CURL **curl)
{
        curl_easy_cleanup(*curl);
}

static size_t take_bytes(char *bytes, size_t size, size_t len, void *userdata)
{
        struct strbuf *buf = userdata;

        /* Anything but size * len tells libcurl to stop. */
        if (len > ANSWER_SIZE_MAX / size || buf->len + size * len > ANSWER_SIZE_MAX)
                return 0;

        strbuf_add(buf, bytes, size * len);
        return buf->failed ? 0 : size * len;
}

static int transfer(CURL *curl, const char *socket, const char *path, struct strbuf *buf, long *ret_status)
{
        _cleanup_(strbuf_fini) struct strbuf url = STRBUF_INIT;
        CURLcode r;

        strbuf_printf(&url, "http://localhost%s", path);
        if (strbuf_check(&url) < 0)
                return CURLE_OUT_OF_MEMORY;

        if ((r = curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket)) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_URL, url.text)) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_PROXY, "")) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L)) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S)) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes)) != CURLE_OK ||
            (r = curl_easy_setopt(curl, CURLOPT_WRITEDATA, buf)) != CURLE_OK)
                return (int)r;

        r = curl_easy_perform(curl);
        if (r != CURLE_OK)
                return (int)r;

        return (int)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
}

/* What stands between us and the agent, and what to do about it. */
static void complain_connect(CURL *curl, const char *socket)
{
        long error = 0;

        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
        if (error == EACCES || error == EPERM)
                complain("you may not ask the agent on %s: run this as root", socket);
        else
                complain("no agent answers on %s: is vethwalld running? Another socket: --socket PATH", socket);
}

static int fetch(const char *socket, const char *path, struct strbuf *buf)
{
        _cleanup_(curl_cleanupp) CURL *curl = NULL;
        long status = 0;
        int r;

        curl = curl_easy_init();
        if (!curl) {
                complain("out of memory");
                return EXIT_TROUBLE;
        }

        r = transfer(curl, socket, path, buf, &status);
        if (r == CURLE_COULDNT_CONNECT) {
                complain_connect(curl, socket);
                return EXIT_TROUBLE;
        }
        if (r == CURLE_WRITE_ERROR) {
                complain("the answer on %s is too large", socket);
                return EXIT_TROUBLE;
        }
        if (r != CURLE_OK) {
                complain("cannot ask the agent on %s: %s", socket, curl_easy_strerror((CURLcode)r));
                return EXIT_TROUBLE;
        }
        if (status == 503) {
                complain("the agent on %s has nothing in force yet: vethwall status tells why", socket);
                return EXIT_TROUBLE;
        }
        if (status != 200) {
                complain("the agent on %s answers %s with status %ld: is it of this version?", socket, path, status);
                return EXIT_TROUBLE;
        }

        r = strbuf_check(buf);
        return r < 0 ? complain_errno(r) : 0;
}

int control_get(const struct options *options, const char *path, json_t **ret)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const char *socket = options->socket ? options->socket : getenv("VETHWALL_SOCKET");
        json_error_t error;
        json_t *json;
        int r;

        if (!socket || socket[0] == '\0')
                socket = CONTROL_SOCKET;

        r = fetch(socket, path, &buf);
        if (r != 0)
                return r;

        json = json_loadb(buf.text, buf.len, JSON_REJECT_DUPLICATES, &error);
        if (!json_is_object(json)) {
                complain("the agent on %s does not answer in JSON: %s", socket, json ? "no object" : error.text);
                json_decref(json);
                return EXIT_TROUBLE;
        }

        *ret = json;
        return 0;
}
