"""What the admin pages do, and for whom. For Django's test runner."""

from django.contrib.auth.models import User
from django.test import Client, override_settings

from taskito.contrib.django.settings import get_queue
from tests.django.project.shop import tasks
from tests.django.project.shop.browsing import HOSTILE, PAGES, Pages, nobody_acts, staff_acts


class Act(Pages):
    def test_a_dead_letter_is_retried(self) -> None:
        self.dead()
        [letter] = get_queue().dead_letters()

        page = self.post(
            self.boss, self.url("taskito_dead_letters"), action="retry", id=letter["id"]
        )

        [new] = get_queue().list_jobs("pending")
        assert f"Stored again as job {new.id}" in page.content.decode()
        assert get_queue().dead_letters() == []

    def test_a_dead_letter_is_deleted(self) -> None:
        dead = self.dead()
        [letter] = get_queue().dead_letters()
        url = self.url("taskito_dead_letters")

        self.post(self.boss, url, action="delete", id=letter["id"])
        again = self.boss.get(url)
        token = again.context["csrf_token"]
        gone = self.boss.post(
            url,
            {"action": "delete", "id": letter["id"], "csrfmiddlewaretoken": token},
            follow=True,
        )

        assert get_queue().dead_letters() == []
        assert [job.id for job in get_queue().list_jobs("dead")] == [dead]
        assert "gone already" in gone.content.decode()

    def test_a_dead_job_is_retried_by_its_letter(self) -> None:
        dead = self.dead()

        page = self.post(self.boss, self.url("taskito_job_detail", dead), action="retry")

        [new] = get_queue().list_jobs("pending")
        assert page.redirect_chain[-1][0] == self.url("taskito_job_detail", new.id)
        assert get_queue().dead_letters() == []

    def test_a_finished_job_is_stored_once_more(self) -> None:
        result = tasks.add.using(queue_name="mail").enqueue(1)
        get_queue().cancel_job(result.id)

        self.post(self.boss, self.url("taskito_job_detail", result.id), action="retry")

        [new] = get_queue().list_jobs("pending")
        assert get_queue().replay_history(result.id)[0]["replay_job_id"] == new.id

    def test_a_pending_job_is_cancelled(self) -> None:
        job = get_queue().enqueue("anything")
        url = self.url("taskito_job_detail", job.id)

        self.post(self.boss, url, action="cancel")
        page = self.post(self.boss, url, action="cancel")

        assert job.status == "cancelled"
        assert "ended already" in page.content.decode()

    def test_a_job_that_has_not_ended_is_not_retried(self) -> None:
        job = get_queue().enqueue("anything")

        page = self.post(self.boss, self.url("taskito_job_detail", job.id), action="retry")

        assert "Only finished jobs" in page.content.decode()
        assert get_queue().stats()["pending"] == 1

    def test_an_action_that_does_not_exist_is_named(self) -> None:
        job = get_queue().enqueue("anything")

        for url in (self.url("taskito_job_detail", job.id), self.url("taskito_dead_letters")):
            token = self.boss.get(self.url("taskito_job_detail", job.id)).context["csrf_token"]
            page = self.boss.post(
                url, {"action": HOSTILE, "csrfmiddlewaretoken": token}, follow=True
            ).content.decode()
            assert "There is no action" in page
            assert "<script>alert" not in page


class Rights(Pages):
    def test_strangers_are_sent_to_the_login(self) -> None:
        User.objects.create_user("customer")
        customer = Client()
        customer.force_login(User.objects.get(username="customer"))
        for client in (Client(), customer):
            for name in PAGES:
                response = client.get(self.url(name))
                assert response.status_code == 302
                assert "/login/" in response["Location"]

    def test_staff_sees_and_finds_no_buttons(self) -> None:
        dead = self.dead()
        for page in (
            self.page("taskito_dead_letters", client=self.clerk),
            self.page("taskito_job_detail", dead, client=self.clerk),
        ):
            assert dead in page
            assert 'name="action"' not in page

    def test_staff_does_not_act(self) -> None:
        job = get_queue().enqueue("anything")
        for url in (self.url("taskito_job_detail", job.id), self.url("taskito_dead_letters")):
            token = self.clerk.get(self.url("taskito_dashboard")).context["csrf_token"]
            response = self.clerk.post(url, {"action": "cancel", "csrfmiddlewaretoken": token})
            assert response.status_code == 403
        assert job.status == "pending"

    def test_without_a_token_nothing_is_done(self) -> None:
        job = get_queue().enqueue("anything")

        response = self.boss.post(self.url("taskito_job_detail", job.id), {"action": "cancel"})

        assert response.status_code == 403
        assert job.status == "pending"

    def test_a_setting_decides_who_acts(self) -> None:
        job = get_queue().enqueue("anything")
        url = self.url("taskito_job_detail", job.id)
        with override_settings(TASKITO_AUTHORIZE=f"{nobody_acts.__module__}.nobody_acts"):
            assert 'name="action"' not in self.page("taskito_job_detail", job.id)
        with override_settings(TASKITO_AUTHORIZE=staff_acts):
            self.post(self.clerk, url, action="cancel")
        with override_settings(TASKITO_AUTHORIZE=lambda _request, _action: False):
            assert self.boss.get(url).status_code == 403
            assert "Background jobs" not in self.page("index")

        assert job.status == "cancelled"

    def test_a_get_request_changes_nothing(self) -> None:
        job = get_queue().enqueue("anything")

        self.page("taskito_job_detail", job.id, action="cancel")

        assert job.status == "pending"
        assert self.boss.put(self.url("taskito_jobs")).status_code in {403, 405}
