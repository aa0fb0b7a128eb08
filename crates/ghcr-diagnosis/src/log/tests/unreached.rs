//! Logs of requests that reached no registry as people published them, each with where.

use expect_test::expect;

use super::check;

#[test]
fn without_an_answer() {
    // https://github.com/GoogleContainerTools/kaniko/issues/1467
    check(
        "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated correctly, and try again: checking push permission for \"xxxxxxxxxx/xxxxxx/new-test-2:v1.2\": creating push check transport for xxxxxxx.com failed: Get \"https://xxxxxxxxxxxxxxx/v2/\": dial tcp 10.82.128.17:443: connect: no route to host\n",
        &expect![[r"
            - GET - xxxxxxxxxxxxxxx - | Connect | registry-unreachable
        "]],
    );
    // https://github.com/docker/build-push-action/issues/1349
    check(
        "ERROR: failed to solve: failed to push example.test:a639a35f04bf71babaee953d85e0380818b7822a: failed to authorize: failed to fetch anonymous token: Get \"https://example.test/v2/token?scope=%2A%3A%3A&scope=repository%XXXXXX%2FXXXXXX%3Apull%2Cpush&service=container_registry\": tls: failed to verify certificate: x509: certificate signed by unknown authority\n",
        &expect![[r"
            - GET fetch-token example.test - | Certificate | certificate-untrusted
        "]],
    );
    // https://github.com/docker/login-action/issues/613
    check(
        "Error response from daemon: Get \"https://registry.***.io/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority\n",
        &expect![[r"
            - GET - registry.***.io - | Certificate | certificate-untrusted
        "]],
    );
    // https://github.com/cnoe-io/idpbuilder/issues/451
    check(
        "docker push gitea.cnoe.localtest.me:8443/giteaadmin/ubuntu:24.04\n\
         The push refers to repository [gitea.cnoe.localtest.me:8443/giteaadmin/ubuntu]\n\
         ff65ddf9395b: Unavailable \n\
         failed to authorize: failed to fetch oauth token: Post \"https://gitea.cnoe.localtest.me:8443/v2/token\": tls: failed to verify certificate: x509: certificate signed by unknown authority\n",
        &expect![[r"
            - POST fetch-token gitea.cnoe.localtest.me:8443 gitea.cnoe.localtest.me:8443/giteaadmin/ubuntu:24.04 | Certificate | certificate-untrusted
        "]],
    );
    // https://github.com/Termix-SSH/Termix/issues/29
    check(
        "Error response from daemon: Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io on [::1]:53: read udp [::1]:49751->[::1]:53: read: connection refused.\n",
        &expect![[r"
            - GET - ghcr.io - | Resolve | registry-unreachable
        "]],
    );
    // https://github.com/docker/build-push-action/issues/520
    check(
        "#11 pushing layer e45a78df7536 280.8s done\n\
         #11 pushing layer ddcd8d2fcf7e 280.8s done\n\
         #11 pushing layer 87c8a1d8f54f 280.8s done\n\
         #11 ERROR: dial tcp: lookup dockerauth.cn-hangzhou.aliyuncs.com: Temporary failure in name resolution\n\
         ------\n\
         \x20> pushing ***/***/php:7.2-fpm with docker:\n\
         ------\n\
         error: dial tcp: lookup dockerauth.cn-hangzhou.aliyuncs.com: Temporary failure in name resolution\n\
         Error: buildx failed with: error: dial tcp: lookup dockerauth.cn-hangzhou.aliyuncs.com: Temporary failure in name resolution\n",
        &expect![[r"
            - - - dockerauth.cn-hangzhou.aliyuncs.com - | Resolve | registry-unreachable
        "]],
    );
    // https://github.com/hail-is/hail/pull/8112
    check(
        "+ docker push gcr.io/hail-vdc/ci-intermediate:tn05m3kr79i2\n\
         The push refers to repository [gcr.io/hail-vdc/ci-intermediate]\n\
         Get https://gcr.io/v2/: dial tcp: lookup gcr.io: Temporary failure in name resolution\n",
        &expect![[r"
            - GET - gcr.io gcr.io/hail-vdc/ci-intermediate:tn05m3kr79i2 | Resolve | registry-unreachable
        "]],
    );
    // https://github.com/hassio-addons/app-grocy/issues/314
    check(
        "Can't install ghcr.io/hassio-addons/grocy/amd64:0.18.2: 500 Server Error for http+docker://localhost/v1.41/images/create?tag=0.18.2&fromImage=ghcr.io%2Fhassio-addons%2Fgrocy%2Famd64&platform=linux%2Famd64: Internal Server Error (\"Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io: no such host\")\n",
        &expect![[r"
            - GET - ghcr.io ghcr.io/hassio-addons/grocy/amd64:0.18.2 | Resolve | registry-unreachable
        "]],
    );
    // https://github.com/docker-archive-public/docker.kitematic/issues/3573
    check(
        "(HTTP code 500) server error - Get https://registry-1.docker.io/v2/: proxyconnect tcp: dial tcp 127.0.0.1:3128: getsockopt: connection refused\n",
        &expect![[r"
            - GET - registry-1.docker.io - | Proxy | intermediary
        "]],
    );
    // https://github.com/rpardini/docker-registry-proxy/issues/27
    check(
        "~$ docker pull reg.example.com:4567/path/to/image:tag\n\
         Error response from daemon: Get https://reg.example.com:4567/v2/: Forbidden\n",
        &expect![[r"
            pull: - GET - reg.example.com:4567 reg.example.com:4567/path/to/image:tag | Proxy | intermediary
        "]],
    );
    // After https://github.com/docker/build-push-action/issues/836, which quotes the words without their line.
    check(
        "\x20#18 exporting to image\n\
         #18 exporting layers\n\
         #18 exporting layers 0.3s done\n\
         #18 exporting manifest sha256:02c2a450d75753cdc057562822f9e588450392db8fbb450f888efd1c0d029502 done\n\
         #18 pushing layers\n\
         #18 ERROR: failed to push gchr.io/thibaultserti/bootstrap-golang:v0.1.0: failed to do request: Head \"https://gchr.io/v2/thibaultserti/bootstrap-golang/blobs/sha256:02c2a450d75753cdc057562822f9e588450392db8fbb450f888efd1c0d029502\": remote error: tls: handshake failure\n",
        &expect![[r"
            - HEAD check-blob gchr.io gchr.io/thibaultserti/bootstrap-golang:v0.1.0 | Interrupted | lookalike-host
        "]],
    );
    // https://github.com/apptainer/singularity/issues/6228
    check(
        "While making image from oci registry: error fetching image to cache: failed to get checksum for docker://git.tu-berlin.de:5000/florianblume/facial-expression-recognition:latest: error pinging docker registry git.tu-berlin.de:5000: Get \"https://git.tu-berlin.de:5000/v2/\": Forbidden\n",
        &expect![[r"
            pull: - GET - git.tu-berlin.de:5000 git.tu-berlin.de:5000/florianblume/facial-expression-recognition:latest | Proxy | intermediary
        "]],
    );
    // https://github.com/distribution/distribution/issues/1184
    check(
        "v2 ping attempt failed with error: Get https://registry.hotheadgames.com:5000/v2/: x509: certificate signed by unknown authority\n",
        &expect![[r"
            - GET - registry.hotheadgames.com:5000 - | Certificate | certificate-untrusted
        "]],
    );
}

#[test]
fn without_tls() {
    // https://github.com/project-zot/zot/issues/1221
    check(
        "# helm push zot-0.1.17.tgz oci://localhost:5000/zot-chart\n\
         Error: failed to do request: Head \"https://localhost:5000/v2/zot-chart/zot/blobs/sha256:8c5a2f7e060de18eda9220fe31e6bcd6ec624e9a6321e4594524eff0ec84945b\": http: server gave HTTP response to HTTPS client\n",
        &expect![[r"
            - HEAD check-blob localhost:5000 localhost:5000/zot-chart/zot | NotTls | registry-unreachable
        "]],
    );
}
